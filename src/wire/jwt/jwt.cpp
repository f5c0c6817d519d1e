#include "wire/jwt/jwt.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/base64.hpp"
#include "wire/json/json.hpp"

namespace fanfare::wire::jwt {
namespace {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;

constexpr std::size_t kSignatureBytes = 32;  // SHA-256

/// A token in its three parts, still in base64url. Borrowed from the token.
struct Parts {
  std::string_view header;
  std::string_view payload;
  std::string_view signature;
  std::string_view signed_text;  // header and payload, with the dot between them
};

Error refused(std::string detail) {
  return {Errc::unauthorized, std::move(detail)};
}

Error malformed() {
  return refused(
      "the token is malformed: a JSON Web Token is three parts in base64url, joined by dots");
}

std::optional<Parts> split(std::string_view token) {
  if (std::ranges::count(token, '.') != 2) return std::nullopt;
  const std::size_t first = token.find('.');
  const std::size_t second = token.rfind('.');
  return Parts{token.substr(0, first), token.substr(first + 1, second - first - 1),
               token.substr(second + 1), token.substr(0, second)};
}

// RFC 7515 section 4.1.1: what the header names is only compared, never obeyed, so that no token
// can talk us into `none` or into another kind of key.
Status check_header(std::string_view text) {
  const auto header = json::validate(text);
  if (!header) return malformed();
  const auto fields = json::pick_fields<2>(*header, {"alg", "crit"});
  if (!fields) return refused("the token's header is malformed: " + fields.error().detail);
  const auto& [alg, crit] = *fields;
  if (!alg || !alg->equals("HS256")) return refused("the token's alg must be HS256");
  // Section 4.1.11: a critical extension that we do not know makes the token invalid; we know none.
  if (crit) return refused("the token's header has crit; no extension is supported");
  return base::Done{};
}

std::string hmac_sha256(std::string_view key, std::string_view text) {
  std::string digest(kSignatureBytes, '\0');
  const auto* const bytes = reinterpret_cast<const unsigned char*>(text.data());
  auto* const out = reinterpret_cast<unsigned char*>(digest.data());
  const auto* const done = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes,
                                text.size(), out, nullptr);
  FANFARE_CHECK(done != nullptr);
  return digest;
}

bool is_signed_by(std::string_view key, std::string_view text, std::string_view signature) {
  if (key.empty()) return false;  // anyone could sign with that
  const std::string expected = hmac_sha256(key, text);
  return signature.size() == expected.size() &&
         CRYPTO_memcmp(signature.data(), expected.data(), expected.size()) == 0;
}

// RFC 7519 section 2, NumericDate: any JSON number. Fractions go down, and what no clock will ever
// show becomes the furthest second that an integer holds.
std::optional<std::int64_t> numeric_date(const json::Value& value) {
  if (const auto seconds = value.as_int64()) return seconds;
  const auto seconds = value.as_double();
  if (!seconds) return std::nullopt;
  constexpr double kEnd = 9223372036854775808.0;  // 2^63
  if (*seconds >= kEnd) return std::numeric_limits<std::int64_t>::max();
  if (*seconds < -kEnd) return std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(std::floor(*seconds));
}

// For people. Outside of the years that calendars print, the number itself.
std::string spelled(std::int64_t seconds) {
  constexpr std::int64_t kYear10000 = 253'402'300'800;
  if (seconds < 0 || seconds >= kYear10000) return std::to_string(seconds);
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(static_cast<std::time_t>(seconds)));
}

Result<Claims> read_claims(std::string_view text) {
  const auto payload = json::validate(text);
  if (!payload) return malformed();
  const auto fields = json::pick_fields<3>(*payload, {"iss", "exp", "nbf"});
  if (!fields) return refused("the token's claims are malformed: " + fields.error().detail);
  const auto& [issuer, expires, not_before] = *fields;
  if (!issuer || !issuer->is_string()) return refused("the token needs an iss, as a string");
  const auto expires_at = expires ? numeric_date(*expires) : std::nullopt;
  if (!expires_at) return refused("the token needs an exp, in seconds since 1970");
  Claims claims{issuer->as_string(), *expires_at, std::nullopt};
  if (not_before) {
    claims.not_before = numeric_date(*not_before);
    if (!claims.not_before) return refused("the token's nbf must be in seconds since 1970");
  }
  return claims;
}

Status check_times(const Claims& claims, base::WallTime now, std::chrono::seconds leeway) {
  using std::chrono::floor;
  using std::chrono::seconds;
  const std::int64_t today = floor<seconds>(now).time_since_epoch().count();
  // RFC 7519 section 4.1.4: not on or after `exp`. The leeway goes to our side of the comparison,
  // where nothing can overflow.
  if (today - leeway.count() >= claims.expires_at) {
    return refused("the token expired at " + spelled(claims.expires_at) + "; sign a new one");
  }
  if (claims.not_before && today + leeway.count() < *claims.not_before) {
    return refused("the token is not valid before " + spelled(*claims.not_before));
  }
  return base::Done{};
}

}  // namespace

Result<Claims> verify_hs256(std::string_view token, std::span<const std::string_view> keys,
                            base::WallTime now, std::chrono::seconds leeway) {
  if (token.size() > kTokenBytesMax) return refused("the token is longer than 8 KiB");
  const auto parts = split(token);
  if (!parts) return malformed();
  const auto header = base::decode_base64url(parts->header);
  const auto payload = base::decode_base64url(parts->payload);
  const auto signature = base::decode_base64url(parts->signature);
  if (!header || !payload || !signature) return malformed();

  if (auto checked = check_header(*header); !checked) return std::move(checked.error());
  const auto signs = [&](std::string_view key) {
    return is_signed_by(key, parts->signed_text, *signature);
  };
  if (std::ranges::none_of(keys, signs)) {
    return refused(
        "the token's signature is wrong: sign it with the realm's key, decoded from base64");
  }
  auto claims = read_claims(*payload);
  if (!claims) return claims;
  if (auto checked = check_times(*claims, now, leeway); !checked) return std::move(checked.error());
  return claims;
}

std::string sign_hs256(std::string_view issuer, std::int64_t expires_at, std::string_view key) {
  const std::string claims =
      "{\"iss\":" + json::quoted(issuer) + ",\"exp\":" + std::to_string(expires_at) + "}";
  std::string token = base::encode_base64url(R"({"typ":"JWT","alg":"HS256"})");
  token += '.';
  token += base::encode_base64url(claims);
  const std::string signature = hmac_sha256(key, token);
  token += '.';
  token += base::encode_base64url(signature);
  return token;
}

}  // namespace fanfare::wire::jwt
