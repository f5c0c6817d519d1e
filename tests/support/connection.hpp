#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare {

/// One thing that came in over a connection.
struct Arrival {
  enum Kind {
    answer,    // an HTTP response with its body
    upgraded,  // the 101 before the first frame, or the head of an event stream
    message,   // a text frame, or an event
    close,     // a close frame; status is its code
    end,       // nothing more comes
  };
  Kind kind;
  int status = 0;
  std::string body{};
  bool is_clean = true;  // of an end: in good order, not by a reset
};

/// A client's end of one connection to 127.0.0.1, without blocking: HTTP with keep-alive, one
/// request at a time, which may become a WebSocket or an event stream. It knows the bytes, and
/// every way there is to break off; what they mean is for a Visitor.
class Connection {
 public:
  /// `receive_bytes_max` makes the kernel's buffer small, for peers that do not read; 0 leaves it.
  explicit Connection(std::uint16_t port, int receive_bytes_max = 0);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void post(std::string_view path, std::string_view body, std::string_view more_headers = {});
  void get(std::string_view target, std::string_view more_headers = {});
  /// Asks to become a WebSocket. Frames may follow at once.
  void upgrade(std::string_view path);
  void send_text(std::string_view text);
  void send_close();

  /// What the kernel has goes into our buffer; false when there was nothing.
  void pull();
  /// What that buffer holds and is complete.
  std::vector<Arrival> take();
  /// Tries once more to write what the kernel did not take.
  void flush();

  /// In good order, unless the kernel holds bytes that we have not read: then it resets.
  void close();
  /// By a reset.
  void reset();
  /// No more from us; we still read.
  void half_close();

  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }
  [[nodiscard]] bool has_unwritten() const { return !output_.empty(); }

 private:
  enum class Mode { http, websocket, event_stream };

  void write(std::string bytes);
  bool take_answer(std::vector<Arrival>& into);
  bool take_frame(std::vector<Arrival>& into);
  bool take_chunk(std::vector<Arrival>& into);

  int descriptor_ = -1;
  Mode mode_ = Mode::http;
  std::string input_;
  std::string output_;
  bool has_ended_ = false;
  bool ended_cleanly_ = true;
  bool told_end_ = false;
  bool saw_last_chunk_ = false;
};

}  // namespace fanfare
