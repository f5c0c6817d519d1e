#include "server/realms.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace fanfare::server {
namespace {

std::vector<core::Realm> realms(const std::vector<std::string>& ids) {
  std::vector<core::Realm> made;
  for (const std::string& id : ids) made.emplace_back().id = core::RealmId(id);
  return made;
}

/// The id of a realm, or "none".
std::string id_of(const core::RealmPtr& realm) {
  return realm ? realm->id.value() : "none";
}

TEST(RealmsTest, FindsARealmByItsExactId) {
  const Realms all(realms({"one", "Two"}), {"localhost"});
  EXPECT_EQ(id_of(all.find("one")), "one");
  EXPECT_EQ(id_of(all.find("Two")), "Two");
  EXPECT_EQ(id_of(all.find("two")), "none");
  EXPECT_EQ(id_of(all.find("")), "none");
}

TEST(RealmsTest, AHostNamesItsRealm) {
  const Realms all(realms({"one", "two"}), {"localhost", "push.example.com"});
  EXPECT_EQ(id_of(all.of_host("one.localhost")), "one");
  EXPECT_EQ(id_of(all.of_host("two.push.example.com")), "two");
  for (const auto* host : {"three.localhost", "localhost", "push.example.com", "one.example.com",
                           "a.one.localhost", "onelocalhost", ".localhost", "", "127.0.0.1"}) {
    EXPECT_EQ(id_of(all.of_host(host)), "none") << host;
  }
}

// Host names do not tell capitals apart, and arrive in lower case.
TEST(RealmsTest, AHostNamesARealmWhoseIdHasCapitals) {
  const Realms all(realms({"MySite", "other"}), {"localhost"});
  EXPECT_EQ(id_of(all.of_host("mysite.localhost")), "MySite");
}

TEST(RealmsTest, TheOnlyRealmAnswersToEveryHostThatNamesNone) {
  const Realms all(realms({"one"}), {"localhost"});
  EXPECT_TRUE(all.is_only_one());
  for (const auto* host : {"localhost", "127.0.0.1", "anything.example.com", ""}) {
    EXPECT_EQ(id_of(all.of_host(host)), "one") << host;
  }
  EXPECT_EQ(id_of(all.of_host("two.localhost")), "none");
}

TEST(RealmsTest, ANewcomerIsShownTheFirst) {
  const Realms all(realms({"one", "two"}), {"localhost"});
  EXPECT_EQ(id_of(all.first()), "one");
  EXPECT_FALSE(all.is_only_one());
}

}  // namespace
}  // namespace fanfare::server
