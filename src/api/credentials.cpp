#include "api/credentials.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <openssl/crypto.h>

#include "base/base64.hpp"
#include "wire/jwt/jwt.hpp"

namespace fanfare::api {
namespace {

using base::Errc;
using base::Error;
using base::Result;

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return (x | 0x20) == (y | 0x20); });
}

/// Takes as long for a wrong guess as for a right one.
bool is_same_secret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Result<Access> check_basic(std::string_view credentials, const core::Realm& realm) {
  const auto decoded = base::decode_base64(credentials);
  const std::size_t colon = decoded ? decoded->find(':') : std::string::npos;
  if (colon == std::string::npos) {
    return Error{Errc::unauthorized, "the Basic credentials are not base64 of 'realm:key'"};
  }
  const std::string_view user = std::string_view(*decoded).substr(0, colon);
  const std::string_view password = std::string_view(*decoded).substr(colon + 1);
  // As it is written, with or without the '=' at its end.
  const auto bytes = base::decode_base64(password);
  bool is_key = false;
  for (const core::RealmKey& key : realm.keys)
    is_key = (bytes && is_same_secret(*bytes, key.bytes)) || is_key;
  if (user == realm.id.value() && is_key) return Access::full;
  return Error{Errc::unauthorized,
               "the Basic credentials are not the realm's id and its key in base64"};
}

}  // namespace

Result<Access> CredentialChecker::check_bearer(std::string_view token, const core::Realm& realm,
                                               base::WallTime now) {
  const auto known = proven_.find(realm.id.value());
  const bool is_known = known != proven_.end() && now < known->second.until &&
                        is_same_secret(token, known->second.token);
  if (is_known) return Access::full;

  std::vector<std::string_view> keys;
  for (const core::RealmKey& key : realm.keys) keys.emplace_back(key.bytes);
  const auto claims = wire::jwt::verify_hs256(token, keys, now);
  if (!claims) return claims.error();
  if (claims->issuer != realm.id.value()) {
    return Error{
        Errc::unauthorized,
        fmt::format("the token's 'iss' is not '{}', the realm in the path", realm.id.value())};
  }
  // A token may be good for longer than a clock can say; a day is as good as for ever here.
  const std::int64_t now_s = std::chrono::system_clock::to_time_t(now);
  const auto left = std::chrono::seconds(
      std::clamp<std::int64_t>(claims->expires_at, now_s, now_s + 86'400) - now_s);
  proven_[realm.id.value()] = {std::string(token), now + left};
  return Access::full;
}

Result<Access> CredentialChecker::check(const wire::http1::Request& request,
                                        const core::Realm& realm, base::WallTime now) {
  if (request.count("Authorization") > 1) {
    return Error{Errc::unauthorized, "there are two Authorization fields; send one"};
  }
  // Go's client sends the header empty when it has nothing to say.
  const std::string_view header = request.header("Authorization").value_or("");
  if (header.empty()) return Access::none;
  const std::size_t space = header.find(' ');
  const std::string_view scheme = header.substr(0, space);
  std::string_view rest =
      space == std::string_view::npos ? std::string_view() : header.substr(space);
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  if (equals_ignoring_case(scheme, "Bearer")) return check_bearer(rest, realm, now);
  if (equals_ignoring_case(scheme, "Basic")) return check_basic(rest, realm);
  return Error{Errc::unauthorized,
               "the header Authorization is neither 'Bearer' with a token nor 'Basic'"};
}

}  // namespace fanfare::api
