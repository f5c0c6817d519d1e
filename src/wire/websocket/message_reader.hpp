#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "wire/websocket/frame.hpp"

namespace fanfare::wire::websocket {

class Inflater;

/// What MessageReader found next.
struct Event {
  enum Kind : std::uint8_t { need_more, text, binary, ping, pong, close, violation };
  Kind kind = need_more;
  /// `close`: the peer's code, kNoCloseCode if it gave none. `violation`: the code to close with.
  CloseCode code = 0;
  /// The message; the payload of ping or pong; the reason of close or violation. Lives until the
  /// next call of next(), and no longer than the input.
  std::string_view payload;
};

/// Turns what a client sends into messages (RFC 6455): frames joined, unmasked, inflated, checked.
///
/// The hot path is a message in one frame that is there as a whole: it is unmasked where it lies
/// and never copied. Anything incomplete is taken into the reader, so the input can be one scratch
/// buffer for all connections of a worker.
///
/// Cost: 24 bytes, and no memory besides while nothing is unfinished. What
/// the peer made it keep is bounded by `message_bytes_max`, and grows only with bytes that came.
class MessageReader {
 public:
  struct Options {
    /// Of a message, inflated. A frame that would pass it is refused by its header (1009).
    std::size_t message_bytes_max;
    /// Whether permessage-deflate was agreed on.
    bool deflate = false;
  };
  explicit MessageReader(const Options& options);
  MessageReader(MessageReader&&) noexcept;
  MessageReader& operator=(MessageReader&&) noexcept;
  ~MessageReader();

  /// Takes bytes off the front of `input` until something is to be told. To be called until it says
  /// `need_more`: `input` is then empty, and the memory of the last message is given back.
  ///
  /// `inflater` is the worker's; needed if deflate was agreed on. The bytes of `input` change.
  /// After `close` and `violation` whatever follows is dropped.
  Event next(std::span<char>& input, Inflater* inflater = nullptr);

  /// Bytes of the message that is unfinished.
  [[nodiscard]] std::size_t unfinished_bytes() const noexcept;
  /// False while a message or a frame has begun and not ended.
  [[nodiscard]] bool is_between_messages() const { return unfinished_ == nullptr; }

 private:
  struct Unfinished;

  [[nodiscard]] bool in_frame() const;
  [[nodiscard]] bool in_message() const;
  [[nodiscard]] bool is_whole(const FrameHeader& header, std::span<const char> input) const;
  [[nodiscard]] std::size_t wire_bytes_max(bool is_compressed) const;
  Unfinished& unfinished();
  void release_told();

  FrameHeaderResult read_header(std::span<char>& input);
  void keep_header(std::span<const char> bytes);
  void begin_frame(const FrameHeader& header);

  // Each says need_more if there is nothing to tell.
  Event check_header(const FrameHeader& header);
  Event read_whole_frame(const FrameHeader& header, std::span<char>& input, Inflater* inflater);
  Event read_payload(std::span<char>& input, Inflater* inflater);
  Event finish_frame(Inflater* inflater);
  Event finish_message(Opcode opcode, bool is_compressed, std::string_view payload,
                       Inflater* inflater);
  Event finish_control(Opcode opcode, std::string_view payload);
  Event finish_close(std::string_view payload);
  Event too_big();
  Event end(Event::Kind kind, CloseCode code, std::string_view reason);

  std::unique_ptr<Unfinished> unfinished_;
  std::size_t message_bytes_max_;
  bool deflate_;
  bool is_over_ = false;
};

static_assert(sizeof(MessageReader) <= 64, "every idle connection holds one");

}  // namespace fanfare::wire::websocket
