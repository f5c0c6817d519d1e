#include "core/realm.hpp"

#include <set>
#include <string>

#include <gtest/gtest.h>

#include "base/base64.hpp"

namespace fanfare::core {
namespace {

TEST(RealmTest, ReadsAKeyAndKeepsItsText) {
  const auto key = parse_realm_key("MDEyMzQ1Njc4OWFiY2RlZg==");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->bytes, "0123456789abcdef");
  EXPECT_EQ(key->text, "MDEyMzQ1Njc4OWFiY2RlZg==");
}

TEST(RealmTest, ReadsAKeyOfAnyLength) {
  EXPECT_EQ(parse_realm_key("eA==")->bytes, "x");
  EXPECT_EQ(parse_realm_key(base::encode_base64(std::string(1000, 'k')))->bytes.size(), 1000U);
}

TEST(RealmTest, RefusesAnEmptyKey) {
  const auto key = parse_realm_key("");
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().code, base::Errc::invalid);
  EXPECT_EQ(key.error().detail, "the key is empty");
}

TEST(RealmTest, RefusesAKeyThatIsNotBase64AndDoesNotRepeatIt) {
  const auto key = parse_realm_key("not base64!");
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().detail.find("not base64!"), std::string::npos);
}

TEST(RealmTest, ReadsIdsOfLettersDigitsHyphensAndUnderscores) {
  for (const auto* id : {"a", "0123abcd", "My-Site_2"}) {
    ASSERT_TRUE(parse_realm_id(id)) << id;
    EXPECT_EQ(parse_realm_id(id)->value(), id);
  }
}

TEST(RealmTest, RefusesIdsThatDoNotFitIntoAPathOrAHostName) {
  for (const auto* id : {"", "a b", "a.b", "a/b", "a:b", "\xc3\xa4", "a\n"}) {
    EXPECT_FALSE(parse_realm_id(id)) << id;
  }
}

TEST(RealmTest, RefusesIdsLongerThanALabelOfAHostName) {
  EXPECT_TRUE(parse_realm_id(std::string(63, 'x')));
  EXPECT_FALSE(parse_realm_id(std::string(64, 'x')));
}

TEST(RealmTest, MakesRealmsWithAnIdAndAKeyOfTheirOwn) {
  std::set<std::string> ids;
  std::set<std::string> keys;
  for (int i = 0; i < 20; ++i) {
    const Realm realm = make_realm();
    EXPECT_EQ(realm.id.value().size(), 8U);
    EXPECT_EQ(realm.id.value().find_first_not_of("0123456789abcdef"), std::string::npos);
    ASSERT_EQ(realm.keys.size(), 1U);
    EXPECT_EQ(realm.keys[0].bytes.size(), 32U);
    EXPECT_EQ(parse_realm_key(realm.keys[0].text)->bytes, realm.keys[0].bytes);
    ids.insert(realm.id.value());
    keys.insert(realm.keys[0].bytes);
  }
  EXPECT_EQ(ids.size(), 20U);
  EXPECT_EQ(keys.size(), 20U);
}

}  // namespace
}  // namespace fanfare::core
