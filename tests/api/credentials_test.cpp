#include "api/credentials.hpp"

#include <chrono>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/api_requests.hpp"
#include "base/base64.hpp"
#include "base/clock.hpp"
#include "wire/jwt/jwt.hpp"

namespace fanfare::api {
namespace {

using testing::HasSubstr;

class CredentialsTest : public ::testing::Test {
 protected:
  CredentialsTest() { realm_ = realm("myrealm", "MDEyMzQ1Njc4OWFiY2RlZg=="); }

  static core::Realm realm(const char* id, std::string_view key) {
    core::Realm made;
    made.id = core::RealmId(id);
    made.keys.push_back(*core::parse_realm_key(key));
    return made;
  }
  /// "full", "none", or what is wrong.
  std::string check(std::string_view authorization, const core::Realm& with) {
    const auto asked =
        request("POST", "/", "", "Authorization: " + std::string(authorization) + "\r\n");
    const auto access = checker_.check(asked, with, clock_.wall_now());
    if (access) return *access == Access::full ? "full" : "none";
    EXPECT_EQ(access.error().code, base::Errc::unauthorized);
    return access.error().detail;
  }
  std::string check(std::string_view authorization) { return check(authorization, realm_); }
  [[nodiscard]] std::int64_t in(std::chrono::seconds time) const {
    return std::chrono::system_clock::to_time_t(clock_.wall_now()) + time.count();
  }
  [[nodiscard]] std::string token(std::string_view issuer = "myrealm",
                                  std::string_view key = "0123456789abcdef",
                                  std::chrono::seconds expires = std::chrono::hours(1)) const {
    return "Bearer " + wire::jwt::sign_hs256(issuer, in(expires), key);
  }
  static std::string basic(std::string_view text) { return "Basic " + base::encode_base64(text); }

  base::ManualClock clock_;
  core::Realm realm_;
  CredentialChecker checker_;
};

TEST_F(CredentialsTest, NothingOfferedIsNothingProven) {
  const auto access = checker_.check(request("POST", "/"), realm_, clock_.wall_now());
  ASSERT_TRUE(access);
  EXPECT_EQ(*access, Access::none);
  EXPECT_EQ(check(""), "none");  // as Go's client sends it
}

TEST_F(CredentialsTest, TwoAuthorizationFieldsProveNothing) {
  EXPECT_THAT(check(token() + "\r\nAuthorization: " + token()), HasSubstr("two Authorization"));
}

TEST_F(CredentialsTest, BasicTakesTheKeyWithoutThePaddingToo) {
  EXPECT_EQ(check(basic("myrealm:MDEyMzQ1Njc4OWFiY2RlZg==")), "full");
  EXPECT_EQ(check(basic("myrealm:MDEyMzQ1Njc4OWFiY2RlZg")), "full");
  EXPECT_NE(check(basic("myrealm:MDEyMzQ1Njc4OWFiY2RlZw==")), "full");
}

TEST_F(CredentialsTest, ATokenSignedWithAKeyOfTheRealmIsEnough) {
  EXPECT_EQ(check(token()), "full");
  EXPECT_EQ(check("bearer  " + token().substr(7)), "full");
}

TEST_F(CredentialsTest, ReadsATokenMadeByFanoutsOwnLibrary) {
  clock_.set_wall(base::WallTime(std::chrono::seconds(1'795'478'000)));
  EXPECT_EQ(check("Bearer eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9."
                  "eyJpc3MiOiJteXJlYWxtIiwiZXhwIjoxNzk1NDc4MTI0fQ."
                  "8pvJ9StJLBZP7TAUSb7gxkA2aGl9iSwWXjFix27HiWM"),
            "full");
}

TEST_F(CredentialsTest, BothKeysWorkWhileTheyAreExchanged) {
  realm_.keys.push_back(*core::parse_realm_key(base::encode_base64("the second key")));
  EXPECT_EQ(check(token("myrealm", "the second key")), "full");
  EXPECT_EQ(check(token()), "full");
  EXPECT_EQ(check(basic("myrealm:" + base::encode_base64("the second key"))), "full");
}

TEST_F(CredentialsTest, SaysWhatIsWrongWithAToken) {
  EXPECT_THAT(check(token("other")), HasSubstr("'iss' is not 'myrealm'"));
  EXPECT_NE(check(token("myrealm", "another key")), "full");
  EXPECT_NE(check(token("myrealm", "0123456789abcdef", -std::chrono::hours(1))), "full");
  EXPECT_NE(check("Bearer"), "full");
  EXPECT_NE(check("Bearer x.y.z"), "full");
  EXPECT_THAT(check("Digest x"), HasSubstr("neither 'Bearer' with a token nor 'Basic'"));
}

/// What was proven is remembered by its text; it must be forgotten in time, and prove nothing else.
TEST_F(CredentialsTest, ATokenThatWasProvenOnceExpiresAllTheSame) {
  const std::string mine = token();
  EXPECT_EQ(check(mine), "full");
  clock_.advance(std::chrono::minutes(59));
  EXPECT_EQ(check(mine), "full");
  clock_.advance(std::chrono::minutes(2));
  EXPECT_NE(check(mine), "full");
}

TEST_F(CredentialsTest, ATokenThatWasProvenForOneRealmProvesNothingToAnother) {
  const core::Realm other = realm("other", base::encode_base64("the other key"));
  const std::string mine = token();
  EXPECT_EQ(check(mine), "full");
  EXPECT_NE(check(mine, other), "full");
  const core::Realm same_key = realm("other", "MDEyMzQ1Njc4OWFiY2RlZg==");
  EXPECT_NE(check(mine, same_key), "full");
  EXPECT_EQ(check(mine), "full");
}

TEST_F(CredentialsTest, ATokenThatDiffersInOneCharacterProvesNothing) {
  const std::string mine = token();
  EXPECT_EQ(check(mine), "full");
  for (std::size_t at = 7; at < mine.size(); ++at) {
    std::string forged = mine;
    forged[at] = forged[at] == 'A' ? 'B' : 'A';
    EXPECT_NE(check(forged), "full") << at;
  }
  EXPECT_NE(check(mine.substr(0, mine.size() - 1)), "full");
  EXPECT_NE(check(mine + "A"), "full");
  EXPECT_EQ(check(mine), "full");
}

TEST_F(CredentialsTest, TakesTheRealmsIdAndKeyAsTheyAreDisplayed) {
  EXPECT_EQ(check(basic("myrealm:MDEyMzQ1Njc4OWFiY2RlZg==")), "full");
  for (const auto* text : {"myrealm:0123456789abcdef", "other:MDEyMzQ1Njc4OWFiY2RlZg==", "myrealm:",
                           ":MDEyMzQ1Njc4OWFiY2RlZg==", "myrealm:MDEyMzQ1Njc4OWFiY2RlZ===",
                           "MYREALM:MDEyMzQ1Njc4OWFiY2RlZg=="}) {
    EXPECT_THAT(check(basic(text)), HasSubstr("not the realm's id and its key")) << text;
  }
  EXPECT_THAT(check(basic("no colon")), HasSubstr("not base64 of 'realm:key'"));
  EXPECT_THAT(check("Basic !"), HasSubstr("not base64 of 'realm:key'"));
}

TEST_F(CredentialsTest, ErrorsDoNotRepeatSecrets) {
  EXPECT_EQ(check(basic("myrealm:secret-guess")).find("secret-guess"), std::string::npos);
}

}  // namespace
}  // namespace fanfare::api
