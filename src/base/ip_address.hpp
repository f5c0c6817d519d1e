#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace fanfare::base {

/// The address of a machine, IPv4 or IPv6, without a port. An IPv4 address has one value, whether
/// it was written 192.0.2.1 or ::ffff:192.0.2.1 (RFC 4291 section 2.5.5.2): the two are one peer,
/// seen by two kinds of socket.
class IpAddress {
 public:
  using V4Bytes = std::span<const std::uint8_t, 4>;
  using V6Bytes = std::span<const std::uint8_t, 16>;

  /// In the order of the network.
  static IpAddress v4(V4Bytes bytes) noexcept;
  static IpAddress v6(V6Bytes bytes) noexcept;

  /// "192.0.2.1" or "2001:db8::1"; no brackets, no port, no zone, no leading zeros.
  static std::optional<IpAddress> parse(std::string_view text);

  [[nodiscard]] bool is_v4() const noexcept;
  /// In the one spelling of RFC 5952.
  [[nodiscard]] std::string text() const;

  friend bool operator==(const IpAddress&, const IpAddress&) = default;

 private:
  friend class IpNetwork;
  using Bytes = std::array<std::uint8_t, 16>;
  explicit IpAddress(const Bytes& bytes) noexcept : bytes_(bytes) {}

  Bytes bytes_;  // of an IPv4 address the mapped form
};

/// All addresses that begin with the same bits. Cost of contains(): some comparisons of bytes.
class IpNetwork {
 public:
  /// "10.0.0.0/8", "2001:db8::/32", or one address. An address that has bits behind the length is
  /// refused: either of the two is not what was meant.
  static Result<IpNetwork> parse(std::string_view text);
  /// The network of that length that `address` is in. Bits are counted as its family does: up to 32
  /// or 128.
  static IpNetwork around(const IpAddress& address, unsigned bits) noexcept;

  [[nodiscard]] bool contains(const IpAddress& address) const noexcept;
  /// "10.0.0.0/8"; of a single address only that.
  [[nodiscard]] std::string text() const;

  friend bool operator==(const IpNetwork&, const IpNetwork&) = default;

 private:
  IpNetwork(const IpAddress& first, unsigned bits) noexcept : first_(first), bits_(bits) {}

  IpAddress first_;
  unsigned bits_;  // of all 128
};

/// Whether one of them contains it.
bool contains(std::span<const IpNetwork> networks, const IpAddress& address) noexcept;

}  // namespace fanfare::base
