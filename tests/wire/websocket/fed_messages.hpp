#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "wire/websocket/deflate.hpp"
#include "wire/websocket/message_reader.hpp"

namespace fanfare::wire::websocket {

/// A connection's reading side as a transport would write it: bytes come in a scratch buffer that
/// belongs to someone else as soon as the reader wants more.
class FedMessages {
 public:
  explicit FedMessages(const MessageReader::Options& options) : reader_(options) {}

  void feed(std::string_view bytes) {
    std::string scratch(bytes);
    std::span<char> input(scratch);
    for (Event event = reader_.next(input, &inflater_); event.kind != Event::need_more;
         event = reader_.next(input, &inflater_)) {
      events_.push_back(describe(event));
    }
    left_over_ += input.size();
    scratch.assign(scratch.size(), '?');
  }

  /// `text hello`, `close 1000 bye`, …
  [[nodiscard]] const std::vector<std::string>& events() const { return events_; }
  [[nodiscard]] const MessageReader& reader() const { return reader_; }
  /// Bytes that a reader wanting more did not take; must stay 0.
  [[nodiscard]] std::size_t left_over() const { return left_over_; }

 private:
  static std::string describe(const Event& event) {
    static constexpr const char* kNames[] = {"need_more", "text",  "binary",   "ping",
                                             "pong",      "close", "violation"};
    std::string text = kNames[event.kind];
    if (event.code != 0) text += " " + std::to_string(event.code);
    return text.append(" ").append(event.payload);
  }

  MessageReader reader_;
  Inflater inflater_;
  std::vector<std::string> events_;
  std::size_t left_over_ = 0;
};

}  // namespace fanfare::wire::websocket
