#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fanfare::server::cli::bench {

/// Nanoseconds of the monotonic clock, which all programs of a machine share.
inline std::uint64_t now_ns() noexcept {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                        std::chrono::steady_clock::now().time_since_epoch())
                                        .count());
}

/// What a publication says of itself. Its data is a JSON string, so that every protocol can carry
/// it as it is:
///
///     "b3nch:000f:0000002a:000001a2b3c4d5e6:xxxxx…"
///            |    |        when it was published, in nanoseconds
///            |    which of its publisher's messages
///            which publisher                      (all in hexadecimal)
///
/// Places and lengths are fixed: a publisher overwrites the numbers in a request made once, and a
/// subscriber finds them without reading any JSON.
struct Publication {
  std::uint32_t publisher = 0;
  std::uint32_t message = 0;
  std::uint64_t published_at = 0;
};

inline constexpr std::string_view kMark = "b3nch:";
inline constexpr std::size_t kPublisherDigits = 4;
inline constexpr std::size_t kMessageDigits = 8;
inline constexpr std::size_t kTimeDigits = 16;
/// From the mark to the last digit.
inline constexpr std::size_t kPublicationBytes =
    kMark.size() + kPublisherDigits + 1 + kMessageDigits + 1 + kTimeDigits;
/// The quotes, and a colon before the filling.
inline constexpr std::size_t kPayloadBytesMin = kPublicationBytes + 3;

namespace detail {

constexpr std::array<std::uint8_t, 256> kHexValues = [] {
  std::array<std::uint8_t, 256> values{};
  for (unsigned i = 0; i < 10; ++i) values['0' + i] = static_cast<std::uint8_t>(i);
  for (unsigned i = 0; i < 6; ++i) values['a' + i] = static_cast<std::uint8_t>(10 + i);
  return values;
}();

inline std::uint64_t read_hex(const char* at, std::size_t digits) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    value = value << 4 | kHexValues[static_cast<unsigned char>(at[i])];
  }
  return value;
}

inline void write_hex(char* at, std::size_t digits, std::uint64_t value) noexcept {
  for (std::size_t i = digits; i-- > 0; value >>= 4) at[i] = "0123456789abcdef"[value & 0xf];
}

}  // namespace detail

/// A payload of `bytes` bytes to write publications into.
inline std::string blank_payload(std::size_t bytes) {
  std::string payload = "\"";
  payload += kMark;
  payload.append(kPublisherDigits, '0').append(":");
  payload.append(kMessageDigits, '0').append(":");
  payload.append(kTimeDigits, '0').append(":");
  payload.resize(bytes - 1, 'x');
  return payload + '"';
}

/// `mark` is where kMark stands.
inline void write_publication(char* mark, const Publication& publication) noexcept {
  char* at = mark + kMark.size();
  detail::write_hex(at, kPublisherDigits, publication.publisher);
  at += kPublisherDigits + 1;
  detail::write_hex(at, kMessageDigits, publication.message);
  at += kMessageDigits + 1;
  detail::write_hex(at, kTimeDigits, publication.published_at);
}

inline Publication read_publication(const char* mark) noexcept {
  const char* publisher = mark + kMark.size();
  const char* message = publisher + kPublisherDigits + 1;
  const char* time = message + kMessageDigits + 1;
  return {static_cast<std::uint32_t>(detail::read_hex(publisher, kPublisherDigits)),
          static_cast<std::uint32_t>(detail::read_hex(message, kMessageDigits)),
          detail::read_hex(time, kTimeDigits)};
}

}  // namespace fanfare::server::cli::bench
