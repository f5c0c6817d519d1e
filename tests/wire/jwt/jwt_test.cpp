#include "wire/jwt/jwt.hpp"

#include <array>
#include <limits>
#include <string>

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/base64.hpp"

namespace fanfare::wire::jwt {
namespace {

constexpr std::string_view kKey = "0123456789abcdef";
constexpr std::int64_t kExpiry = 1'795'478'124;
// From spec/fanout section 3.1, made by one of Fanout's own libraries.
constexpr std::string_view kToken =
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJteXJlYWxtIiwiZXhwIjoxNzk1NDc4MTI0fQ."
    "8pvJ9StJLBZP7TAUSb7gxkA2aGl9iSwWXjFix27HiWM";

base::WallTime at(std::int64_t seconds) {
  return base::WallTime(std::chrono::seconds(seconds));
}

base::Result<Claims> verify(std::string_view token, std::int64_t now = kExpiry - 60) {
  return verify_hs256(token, std::array{kKey}, at(now));
}

// "accepted", or the reason.
std::string verdict(std::string_view token, std::int64_t now = kExpiry - 60) {
  const auto claims = verify(token, now);
  if (claims) return "accepted";
  EXPECT_EQ(claims.error().code, base::Errc::unauthorized);
  return claims.error().detail;
}

// Signs any header and claims, which sign_hs256() rightly cannot.
std::string signed_token(std::string_view header, std::string_view claims) {
  std::string token = base::encode_base64url(header) + "." + base::encode_base64url(claims);
  std::string digest(32, '\0');
  HMAC(EVP_sha256(), kKey.data(), static_cast<int>(kKey.size()),
       reinterpret_cast<const unsigned char*>(token.data()), token.size(),
       reinterpret_cast<unsigned char*>(digest.data()), nullptr);
  return token + "." + base::encode_base64url(digest);
}

std::string with_header(std::string_view header) {
  return signed_token(header, R"({"iss":"myrealm","exp":1795478124})");
}

std::string with_claims(std::string_view claims) {
  return signed_token(R"({"alg":"HS256"})", claims);
}

const std::string kMalformed =
    "the token is malformed: a JSON Web Token is three parts in base64url, joined by dots";
const std::string kWrongSignature =
    "the token's signature is wrong: sign it with the realm's key, decoded from base64";
const std::string kWrongAlg = "the token's alg must be HS256";

TEST(JwtTest, AcceptsATokenOfFanoutsOwnLibraries) {
  const auto claims = verify(kToken);
  ASSERT_TRUE(claims.has_value()) << claims.error().detail;
  EXPECT_EQ(claims->issuer, "myrealm");
  EXPECT_EQ(claims->expires_at, kExpiry);
  EXPECT_EQ(claims->not_before, std::nullopt);
}

TEST(JwtTest, SignsTheSameBytesAsThey) {
  EXPECT_EQ(sign_hs256("myrealm", kExpiry, kKey), kToken);
}

TEST(JwtTest, EscapesAnIssuerThatItSigns) {
  EXPECT_EQ(verify(sign_hs256("my\"realm\n", kExpiry, kKey))->issuer, "my\"realm\n");
}

TEST(JwtTest, AcceptsAnyOfTheKeys) {
  const std::array<std::string_view, 3> keys{"old", "", kKey};
  EXPECT_TRUE(verify_hs256(kToken, keys, at(kExpiry - 60)).has_value());
  EXPECT_FALSE(verify_hs256(kToken, std::span(keys).first(2), at(kExpiry - 60)).has_value());
  EXPECT_FALSE(verify_hs256(kToken, {}, at(kExpiry - 60)).has_value());
}

TEST(JwtTest, NeverTakesAnEmptyKey) {
  const std::array<std::string_view, 1> keys{""};
  const std::string token = sign_hs256("myrealm", kExpiry, "");
  EXPECT_EQ(verify_hs256(token, keys, at(kExpiry - 60)).error().detail, kWrongSignature);
}

TEST(JwtTest, RefusesWhatIsNoToken) {
  for (const auto* token : {"", ".", "..", "...", "abc", "a.b.c", "e30.e30", "e30.e30.e30.e30",
                            "e30.e30.!!!", "e30 .e30.e30", "bm8.e30.e30"}) {
    EXPECT_EQ(verdict(token), kMalformed) << token;
  }
  EXPECT_EQ(verdict("e30.e30.e30"), kWrongAlg);
  EXPECT_EQ(verdict(with_claims("7x")), kMalformed);
  EXPECT_EQ(verdict(std::string(kTokenBytesMax + 1, 'a')), "the token is longer than 8 KiB");
}

TEST(JwtTest, RefusesATokenThatIsCutOrChangedAnywhere) {
  for (std::size_t i = 0; i < kToken.size(); ++i) {
    SCOPED_TRACE(i);
    EXPECT_NE(verdict(kToken.substr(0, i)), "accepted");
    std::string changed(kToken);
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_NE(verdict(changed), "accepted");
  }
}

TEST(JwtTest, RefusesEveryOtherAlgorithm) {
  for (const auto* header :
       {R"({"alg":"none"})", R"({"alg":"None"})", R"({"alg":"hs256"})", R"({"alg":"HS512"})",
        R"({"alg":"RS256"})", R"({"alg":["HS256"]})", R"({"alg":null})", R"({"typ":"JWT"})"}) {
    EXPECT_EQ(verdict(with_header(header)), kWrongAlg) << header;
  }
  const std::string unsigned_token = base::encode_base64url(R"({"alg":"none"})") + "." +
                                     base::encode_base64url(R"({"iss":"myrealm","exp":9e9})") + ".";
  EXPECT_EQ(verdict(unsigned_token), kWrongAlg);
}

TEST(JwtTest, ReadsTheHeaderAsJsonDoes) {
  EXPECT_EQ(verdict(with_header(R"( {"kid":"7", "typ":"x","alg":"\u0048S256"} )")), "accepted");
  EXPECT_EQ(verdict(with_header(R"({"alg":"HS256","crit":["exp"]})")),
            "the token's header has crit; no extension is supported");
  EXPECT_EQ(verdict(with_header(R"({"alg":"none","alg":"HS256"})")),
            "the token's header is malformed: the key \"alg\" stands twice");
  EXPECT_EQ(verdict(with_header("[]")),
            "the token's header is malformed: expected an object, not an array");
}

TEST(JwtTest, LooksAtNoClaimBeforeTheSignature) {
  const std::string token = sign_hs256("myrealm", 1, "another key");
  EXPECT_EQ(verdict(token), kWrongSignature);
  EXPECT_EQ(verdict(std::string(kToken.substr(0, kToken.rfind('.') + 1))), kWrongSignature);
}

TEST(JwtTest, NeedsAnIssuer) {
  const std::string sentence = "the token needs an iss, as a string";
  EXPECT_EQ(verdict(with_claims(R"({"exp":1795478124})")), sentence);
  EXPECT_EQ(verdict(with_claims(R"({"iss":7,"exp":1795478124})")), sentence);
  EXPECT_EQ(verdict(with_claims(R"({"iss":null,"exp":1795478124})")), sentence);
  EXPECT_EQ(verdict(with_claims(R"({"iss":"a","iss":"b","exp":1795478124})")),
            "the token's claims are malformed: the key \"iss\" stands twice");
}

TEST(JwtTest, NeedsAnExpiry) {
  const std::string sentence = "the token needs an exp, in seconds since 1970";
  for (const auto* claims : {R"({"iss":"r"})", R"({"iss":"r","exp":"1795478124"})",
                             R"({"iss":"r","exp":true})", R"({"iss":"r","exp":null})"}) {
    EXPECT_EQ(verdict(with_claims(claims)), sentence) << claims;
  }
}

TEST(JwtTest, ExpiresOnTheSecondThatExpNamesAndTheLeeway) {
  EXPECT_EQ(verdict(kToken, kExpiry + 29), "accepted");
  EXPECT_EQ(verdict(kToken, kExpiry + 30),
            "the token expired at 2026-11-23 23:55:24 UTC; sign a new one");
  const auto strict = std::chrono::seconds(0);
  EXPECT_TRUE(verify_hs256(kToken, std::array{kKey}, at(kExpiry - 1), strict).has_value());
  EXPECT_FALSE(verify_hs256(kToken, std::array{kKey}, at(kExpiry), strict).has_value());
}

TEST(JwtTest, TakesAnyNumberAsAnExpiry) {
  const auto expiry = [](const std::string& number) {
    return verify(with_claims(R"({"iss":"r","exp":)" + number + "}"))->expires_at;
  };
  EXPECT_EQ(expiry("1795478124.5"), kExpiry);
  EXPECT_EQ(expiry("2e9"), 2'000'000'000);
  const auto forever = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(expiry("9223372036854775807"), forever);
  EXPECT_EQ(expiry("123456789012345678901234567890"), forever);
  EXPECT_EQ(expiry("1e400"), forever);
  EXPECT_EQ(verdict(with_claims(R"({"iss":"r","exp":-1e400})")),
            "the token expired at -9223372036854775808; sign a new one");
  EXPECT_EQ(verdict(with_claims(R"({"iss":"r","exp":1e9})")),
            "the token expired at 2001-09-09 01:46:40 UTC; sign a new one");
}

TEST(JwtTest, IsNotValidBeforeNbfLessTheLeeway) {
  const std::string token = with_claims(R"({"iss":"r","exp":1795478124,"nbf":1795478000})");
  EXPECT_EQ(verify(token, 1'795'477'970)->not_before, 1'795'478'000);
  EXPECT_EQ(verdict(token, 1'795'477'969), "the token is not valid before 2026-11-23 23:53:20 UTC");
  EXPECT_EQ(verdict(with_claims(R"({"iss":"r","exp":1795478124,"nbf":"soon"})")),
            "the token's nbf must be in seconds since 1970");
  EXPECT_EQ(verdict(with_claims(R"({"iss":"r","exp":1795478124,"nbf":1e300})")),
            "the token is not valid before 9223372036854775807");
}

}  // namespace
}  // namespace fanfare::wire::jwt
