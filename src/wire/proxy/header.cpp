#include "wire/proxy/header.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <span>

namespace fanfare::wire::proxy {
namespace {

using namespace std::string_view_literals;

const HeaderResult kNeedMore{HeaderResult::need_more};
const HeaderResult kFailed{HeaderResult::failed};

/// Whether one of the two is the beginning of the other.
bool agree(std::string_view a, std::string_view b) {
  const std::size_t size = std::min(a.size(), b.size());
  return a.substr(0, size) == b.substr(0, size);
}

// ---- Version 1: "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n"

constexpr auto kV1Begin = "PROXY "sv;
constexpr auto kLineEnd = "\r\n"sv;

/// Takes what is before the next space; the specification allows exactly one between two words.
std::string_view cut_word(std::string_view& rest) {
  const std::size_t end = std::min(rest.find(' '), rest.size());
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(std::min(rest.size(), end + 1));
  return word;
}

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, port);
  const bool has_leading_zero = text.size() > 1 && text.front() == '0';
  return failure == std::errc{} && rest == end && !has_leading_zero;
}

/// An address in the letters of its family, so that what was written is what is meant.
std::optional<base::IpAddress> read_address(std::string_view text, bool is_v6) {
  if ((text.find(':') != std::string_view::npos) != is_v6) return std::nullopt;
  return base::IpAddress::parse(text);
}

/// `line` without its end.
HeaderResult read_line(std::string_view line) {
  const std::size_t size = line.size() + kLineEnd.size();
  line.remove_prefix(kV1Begin.size());
  const std::string_view family = cut_word(line);
  // Whatever stands behind it is to be ignored.
  if (family == "UNKNOWN") return {HeaderResult::complete, size};
  if (family != "TCP4" && family != "TCP6") return kFailed;
  const bool is_v6 = family == "TCP6";
  const auto source = read_address(cut_word(line), is_v6);
  const auto destination = read_address(cut_word(line), is_v6);
  const std::string_view source_port = cut_word(line);
  // What is left is the last word, spaces and all.
  if (!source || !destination || !is_port(source_port) || !is_port(line)) return kFailed;
  return {HeaderResult::complete, size, source};
}

HeaderResult read_v1(std::string_view bytes) {
  const std::size_t end = bytes.substr(0, kV1BytesMax).find(kLineEnd);
  if (end != std::string_view::npos) {
    return end < kV1Begin.size() ? kFailed : read_line(bytes.substr(0, end));
  }
  return bytes.size() < kV1BytesMax ? kNeedMore : kFailed;
}

// ---- Version 2: signature, version and command, family and transport, length, addresses,
// extensions

constexpr auto kSignature = "\r\n\r\n\0\r\nQUIT\n"sv;
constexpr std::size_t kCommandAt = kSignature.size();
constexpr std::size_t kFamilyAt = kCommandAt + 1;
constexpr std::size_t kLengthAt = kFamilyAt + 1;
constexpr std::size_t kAddressesAt = kLengthAt + 2;

constexpr std::uint8_t kLocal = 0x20;
constexpr std::uint8_t kProxy = 0x21;

/// What may stand at kFamilyAt: the family above, the transport (stream 1, datagram 2) below.
/// Source and destination, each with a port but for paths.
struct Family {
  std::uint8_t value;
  std::size_t bytes;
};
constexpr std::uint8_t kTcp4 = 0x11;
constexpr std::uint8_t kTcp6 = 0x21;
constexpr Family kFamilies[] = {
    {0x00, 0}, {kTcp4, 12}, {0x12, 12}, {kTcp6, 36}, {0x22, 36}, {0x31, 216}, {0x32, 216},
};

std::uint8_t byte_at(std::string_view bytes, std::size_t place) {
  return static_cast<std::uint8_t>(bytes[place]);
}

template <std::size_t kSize>
std::span<const std::uint8_t, kSize> address_of(std::string_view addresses) {
  return std::span<const std::uint8_t, kSize>(
      reinterpret_cast<const std::uint8_t*>(addresses.data()), kSize);
}

HeaderResult read_v2(std::string_view bytes) {
  if (bytes.size() <= kCommandAt) return kNeedMore;
  const std::uint8_t command = byte_at(bytes, kCommandAt);
  if (command != kLocal && command != kProxy) return kFailed;
  if (bytes.size() < kAddressesAt) return kNeedMore;
  const std::size_t length =
      std::size_t{256} * byte_at(bytes, kLengthAt) + byte_at(bytes, kLengthAt + 1);
  const std::size_t size = kAddressesAt + length;
  if (size > kHeaderBytesMax) return kFailed;

  const auto* const family =
      std::ranges::find(kFamilies, byte_at(bytes, kFamilyAt), &Family::value);
  const bool is_family_read = command == kProxy;  // LOCAL: to be ignored, whatever it is
  if (is_family_read && (family == std::end(kFamilies) || length < family->bytes)) return kFailed;
  if (bytes.size() < size) return kNeedMore;

  HeaderResult result{HeaderResult::complete, size};
  if (!is_family_read) return result;
  const std::string_view addresses = bytes.substr(kAddressesAt, length);
  if (family->value == kTcp4) result.source = base::IpAddress::v4(address_of<4>(addresses));
  if (family->value == kTcp6) result.source = base::IpAddress::v6(address_of<16>(addresses));
  return result;
}

}  // namespace

HeaderResult read_header(std::string_view bytes) {
  if (bytes.empty()) return kNeedMore;
  if (agree(bytes, kSignature)) return read_v2(bytes);
  if (agree(bytes, kV1Begin)) return read_v1(bytes);
  return kFailed;
}

}  // namespace fanfare::wire::proxy
