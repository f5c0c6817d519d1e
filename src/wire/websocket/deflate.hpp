#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

// zlib's z_stream, so that zlib.h stays out of this header.
struct z_stream_s;

namespace fanfare::wire::websocket {

/// zlib's largest LZ77 window, 32 KiB, and the smallest that it can make without a wrapper: asked
/// for 8 it would use 9, which a peer with a window of 256 bytes could not read.
inline constexpr int kWindowBitsMax = 15;
inline constexpr int kWindowBitsMin = 9;

/// What was agreed on about compression (RFC 7692): never any context from one message to the next,
/// because a context is 39 to 268 KB per connection.
struct DeflateAgreement {
  /// The window of what we send. Below kWindowBitsMax (nobody's browser asks for that) a frame that
  /// was compressed for all does not fit; send it uncompressed, or compress it anew.
  int server_window_bits = kWindowBitsMax;
  /// The Sec-WebSocket-Extensions of the answer.
  std::string response;
};

/// Picks the first offer of permessage-deflate that we can keep from the Sec-WebSocket-Extensions
/// of a request (several fields joined by commas). An offer with an unknown, repeated or invalid
/// parameter is declined and the next one looked at (section 7.1). Nothing: no compression.
std::optional<DeflateAgreement> negotiate_deflate(std::string_view sec_websocket_extensions);

/// Compresses messages, each for itself. A worker owns one for all of its connections.
///
/// Cost: about 260 KB for each window size in use, from its first message on.
class Deflater {
 public:
  Deflater();
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  ~Deflater();

  /// The payload to send with RSV1 set (section 7.2.1).
  std::string compress(std::string_view message, int window_bits = kWindowBitsMax);

 private:
  struct EndStream {
    void operator()(z_stream_s* stream) const noexcept;
  };
  using Stream = std::unique_ptr<z_stream_s, EndStream>;

  z_stream_s& stream(int window_bits);

  std::array<Stream, kWindowBitsMax - kWindowBitsMin + 1> streams_;
  std::string scratch_;
};

/// Undoes a peer's compression, message by message. A worker owns one for all of its connections.
///
/// Cost: about 40 KB, and a buffer as large as the largest message so far.
class Inflater {
 public:
  Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater();

  struct Result {
    enum Status { ok, too_large, corrupt };
    Status status = ok;
    /// Lives until the next call.
    std::string_view message;
  };

  /// Stops as soon as the message passes `message_bytes_max`, however much there would be of it.
  Result inflate(std::string_view payload, std::size_t message_bytes_max);

 private:
  struct EndStream {
    void operator()(z_stream_s* stream) const noexcept;
  };

  Result::Status run(std::string_view input, std::size_t message_bytes_max);
  std::size_t make_room(std::size_t message_bytes_max);

  std::unique_ptr<z_stream_s, EndStream> stream_;
  std::string output_;
  std::size_t size_ = 0;  // of output_, how much is message
};

}  // namespace fanfare::wire::websocket
