#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fanfare::wire::http1 {

/// Undoes `Transfer-Encoding: chunked` (RFC 9112 section 7.1), byte by byte, so that it does not
/// matter how the input was cut. Extensions and trailers are skipped, as the RFC allows.
///
/// Our own and not Beast's, because Beast lets a bare LF pass inside a quoted extension value
/// (which others take for the end of the line), looks at a cut chunk header from its start each
/// time, and files trailers among the fields of the head.
class ChunkedBody {
 public:
  enum class State : std::uint8_t {
    need_more,
    complete,
    malformed,
    body_too_large,
    extras_too_large
  };

  struct Progress {
    std::size_t consumed = 0;
    State state = State::need_more;
  };

  /// Appends the chunks' data in `bytes` to `body`, which stays within `body_bytes_max`. Consumes
  /// everything up to the end of the body. To be called with more only after `need_more`.
  Progress feed(std::string_view bytes, std::string& body, std::size_t body_bytes_max);

 private:
  /// What the next byte should be.
  enum class Next : std::uint8_t {
    first_digit,    // of a chunk's size
    digit,          // or what ends the size
    blank,          // or the ';' behind blanks
    extension,      // or the CR that ends its line
    size_lf,        // behind a chunk's size
    data,           // of a chunk
    data_cr,        // behind the data
    data_lf,        // behind that
    trailer_first,  // of a trailer's line, or the CR of the last line
    trailer,        // or the CR that ends its line
    trailer_lf,     // behind a trailer
    last_lf,        // of the body
  };

  State step(char c, std::size_t room);
  State read_size_digit(char c, std::size_t room);
  State begin_extension(char c);
  State skip_extra(char c, Next after_cr);
  State expect(char c, char wanted, Next next);

  // What extensions and trailers of one body may take together; nobody we know sends any.
  static constexpr std::uint32_t kExtraBytesMax = 4096;
  // 16 hexadecimal digits are all that 64 bits hold; more of them are padding.
  static constexpr std::uint8_t kSizeDigitsMax = 16;

  Next next_ = Next::first_digit;
  std::uint8_t size_digits_ = 0;
  std::uint32_t extra_bytes_ = 0;
  // Of the chunk at hand: its size while that is read, then what is missing of its data.
  std::size_t chunk_remaining_ = 0;
};

}  // namespace fanfare::wire::http1
