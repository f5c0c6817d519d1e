#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/units.hpp"

namespace fanfare::wire::jwt {

using namespace base::literals;

/// Ours are about 150 bytes; anything far beyond is not from a publish client.
inline constexpr std::size_t kTokenBytesMax = 8_KiB;

/// Clocks of publishers and servers differ by seconds.
inline constexpr std::chrono::seconds kLeeway{30};

/// What a token says about itself. Times are seconds since 1970, fractions dropped.
struct Claims {
  std::string issuer;
  std::int64_t expires_at = 0;
  std::optional<std::int64_t> not_before;
};

/// Reads `token` and proves it: signed with HS256 by any one of `keys` (raw bytes), not expired,
/// not ahead of its time, with an issuer. The caller compares the issuer with whom it expects.
///
/// Every failure is `unauthorized`, with a sentence for whoever made the token. Nothing that the
/// token claims is looked at before its signature. Pure; the comparison takes constant time.
base::Result<Claims> verify_hs256(std::string_view token, std::span<const std::string_view> keys,
                                  base::WallTime now, std::chrono::seconds leeway = kLeeway);

/// Makes a token as Fanout's own libraries do: `iss` and `exp`, nothing else. `expires_at` is in
/// seconds since 1970, `key` raw bytes, `issuer` UTF-8.
std::string sign_hs256(std::string_view issuer, std::int64_t expires_at, std::string_view key);

}  // namespace fanfare::wire::jwt
