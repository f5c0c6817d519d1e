#include "base/ip_address.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <netinet/in.h>

#include <fmt/format.h>

namespace fanfare::base {
namespace {

constexpr std::size_t kMappedBytes = 12;
constexpr unsigned kMappedBits = 8 * kMappedBytes;
constexpr unsigned kBits = 128;
constexpr std::array<std::uint8_t, kMappedBytes> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

Error bad_network(std::string_view text, std::string_view what) {
  return {Errc::invalid, fmt::format("'{}' {}; write an address or a network, like \"10.0.0.7\", "
                                     "\"10.0.0.0/8\" or \"2001:db8::/32\"",
                                     text, what)};
}

// Nothing for what is no plain decimal number: from_chars takes leading zeros.
std::optional<unsigned> parse_bits(std::string_view text) {
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  unsigned bits = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, bits);
  if (failure != std::errc{} || rest != end) return std::nullopt;
  return bits;
}

}  // namespace

IpAddress IpAddress::v4(V4Bytes bytes) noexcept {
  Bytes all{};
  std::ranges::copy(kMapped, all.begin());
  std::ranges::copy(bytes, all.begin() + kMappedBytes);
  return IpAddress(all);
}

IpAddress IpAddress::v6(V6Bytes bytes) noexcept {
  Bytes all{};
  std::ranges::copy(bytes, all.begin());
  return IpAddress(all);
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  // inet_pton() reads up to a NUL, and nothing longer than this is an address.
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.size() >= terminated.size() || text.find('\0') != std::string_view::npos)
    return std::nullopt;
  std::ranges::copy(text, terminated.begin());
  std::array<std::uint8_t, 16> bytes{};
  if (inet_pton(AF_INET, terminated.data(), bytes.data()) == 1)
    return v4(std::span(bytes).first<4>());
  if (inet_pton(AF_INET6, terminated.data(), bytes.data()) == 1) return v6(bytes);
  return std::nullopt;
}

bool IpAddress::is_v4() const noexcept {
  return std::equal(kMapped.begin(), kMapped.end(), bytes_.begin());
}

std::string IpAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const bool is_short = is_v4();
  inet_ntop(is_short ? AF_INET : AF_INET6, bytes_.data() + (is_short ? kMappedBytes : 0),
            text.data(), text.size());
  return text.data();
}

Result<IpNetwork> IpNetwork::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return bad_network(text, "is neither an address nor a network");
  const unsigned bits_max = address->is_v4() ? kBits - kMappedBits : kBits;
  if (slash == std::string_view::npos) return around(*address, bits_max);
  const auto bits = parse_bits(text.substr(slash + 1));
  if (!bits || *bits > bits_max) {
    return bad_network(text, fmt::format("has no length from 0 to {} behind the slash", bits_max));
  }
  const IpNetwork network = around(*address, *bits);
  if (network.first_ == *address) return network;
  return bad_network(text, fmt::format("is not where a network begins: {} does", network.text()));
}

IpNetwork IpNetwork::around(const IpAddress& address, unsigned bits) noexcept {
  const unsigned all_bits = std::min(kBits, bits + (address.is_v4() ? kMappedBits : 0));
  IpAddress::Bytes first{};
  for (unsigned i = 0; i < first.size(); ++i) {
    const unsigned kept = std::clamp(all_bits, 8 * i, 8 * i + 8) - 8 * i;
    first[i] = static_cast<std::uint8_t>(address.bytes_[i] & (0xff00U >> kept));
  }
  return {IpAddress(first), all_bits};
}

bool IpNetwork::contains(const IpAddress& address) const noexcept {
  const unsigned whole = bits_ / 8;
  const auto* const first = first_.bytes_.data();
  if (!std::equal(first, first + whole, address.bytes_.data())) return false;
  if (whole == first_.bytes_.size()) return true;
  const unsigned mask = 0xff00U >> (bits_ % 8) & 0xffU;
  return (address.bytes_[whole] & mask) == first[whole];
}

std::string IpNetwork::text() const {
  if (bits_ == kBits) return first_.text();
  return fmt::format("{}/{}", first_.text(), first_.is_v4() ? bits_ - kMappedBits : bits_);
}

bool contains(std::span<const IpNetwork> networks, const IpAddress& address) noexcept {
  return std::ranges::any_of(networks,
                             [&](const IpNetwork& network) { return network.contains(address); });
}

}  // namespace fanfare::base
