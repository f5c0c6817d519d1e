#include "core/channel.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/publications.hpp"

namespace fanfare::core {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

const ChannelRules kRules{};
const ChannelRules kExtended{.alphabet = ChannelAlphabet::extended};

std::string refusal_of(const base::Result<ChannelName>& name) {
  EXPECT_FALSE(name);
  return name ? "" : name.error().detail;
}

TEST(ChannelNameTest, KeepsTheNameByteForByte) {
  for (const auto* text : {"/a", "/A/b/C", "/comments-12", "/-_!~()$@", "/0", "/!open"}) {
    ASSERT_TRUE(ChannelName::parse(text, kRules)) << text;
    EXPECT_EQ(ChannelName::parse(text, kRules)->text(), text);
  }
}

TEST(ChannelNameTest, WantsASlashAndAName) {
  for (const auto* text : {"", "/", "a", "a/b"}) {
    EXPECT_EQ(refusal_of(ChannelName::parse(text, kRules)),
              "a channel starts with '/' and has a name");
  }
}

TEST(ChannelNameTest, RefusesEmptySegments) {
  for (const auto* text : {"//", "/a/", "/a//b", "//a"}) {
    EXPECT_THAT(refusal_of(ChannelName::parse(text, kRules)), HasSubstr("empty segment")) << text;
  }
}

TEST(ChannelNameTest, RefusesPatterns) {
  for (const auto* text : {"/*", "/**", "/a/*", "/a/*/b", "/a*"}) {
    EXPECT_THAT(refusal_of(ChannelName::parse(text, kRules)), HasSubstr("'*'")) << text;
  }
}

TEST(ChannelNameTest, SaysWhichCharacterIsInTheWay) {
  using std::string_view_literals::operator""sv;
  const std::vector<std::pair<std::string_view, std::string>> cases{
      {"/a.b", "'.'"},
      {"/a b", "a space"},
      {"/a\n", "a control character (0x0a)"},
      {"/a\0b"sv, "a control character (0x00)"},
      {"/a\x7f", "a control character (0x7f)"},
      {"/caf\xc3\xa9", "a byte outside ASCII (0xc3)"},
      {"/+a", "'+'"},
      {"/a%41", "'%'"}};
  for (const auto& [text, named] : cases) {
    EXPECT_THAT(refusal_of(ChannelName::parse(text, kRules)), HasSubstr(named));
  }
}

TEST(ChannelNameTest, TakesMoreCharactersWhereTheRealmSaysSo) {
  EXPECT_TRUE(ChannelName::parse("/a.b+c#{d} e,f=g:h%i", kExtended));
  for (const auto* text : {"/a*", "/a?b", "/a\tb", "/\xc3\xa9"}) {
    EXPECT_FALSE(ChannelName::parse(text, kExtended)) << text;
  }
}

TEST(ChannelNameTest, EndsAtTheLimitsAndNotBefore) {
  const std::string longest = "/" + std::string(kRules.bytes_max - 1, 'a');
  EXPECT_TRUE(ChannelName::parse(longest, kRules));
  EXPECT_THAT(refusal_of(ChannelName::parse(longest + "a", kRules)), HasSubstr("256 bytes"));
  std::string deepest;
  for (std::size_t i = 0; i < kRules.segments_max; ++i) deepest += "/s";
  EXPECT_TRUE(ChannelName::parse(deepest, kRules));
  EXPECT_THAT(refusal_of(ChannelName::parse(deepest + "/s", kRules)), HasSubstr("33 segments"));
}

TEST(ChannelNameTest, ReadsTheNamesOfThePublishApi) {
  EXPECT_EQ(ChannelName::from_api_name("comments-12", kRules)->text(), "/comments-12");
  EXPECT_EQ(ChannelName::from_api_name("a/b", kRules)->text(), "/a/b");
  EXPECT_EQ(ChannelName::from_api_name("+open", kRules)->text(), "/+open");
  EXPECT_EQ(ChannelName::from_api_name("!open", kRules)->text(), "/!open");
}

TEST(ChannelNameTest, RefusesApiNamesThatBrowsersCouldNotName) {
  EXPECT_THAT(refusal_of(ChannelName::from_api_name("", kRules)), HasSubstr("empty"));
  EXPECT_THAT(refusal_of(ChannelName::from_api_name("/a", kRules)), HasSubstr("leave it out"));
  for (const auto* name : {"a/", "a//b", "a b", "a*", "++a", "a+", "*"}) {
    EXPECT_FALSE(ChannelName::from_api_name(name, kRules)) << name;
  }
}

TEST(ChannelPatternTest, KnowsHowFarItReaches) {
  using Reach = ChannelPattern::Reach;
  const auto read = [](std::string_view text) {
    const ChannelPattern parsed = pattern(text);
    return std::pair(parsed.reach(), std::string(parsed.base()));
  };
  EXPECT_THAT(read("/a/b"), Pair(Reach::one, "/a/b"));
  EXPECT_THAT(read("/a/*"), Pair(Reach::children, "/a"));
  EXPECT_THAT(read("/a/**"), Pair(Reach::descendants, "/a"));
  EXPECT_THAT(read("/*"), Pair(Reach::children, ""));
  EXPECT_THAT(read("/**"), Pair(Reach::descendants, ""));
  EXPECT_EQ(pattern("/a/**").text(), "/a/**");
}

TEST(ChannelPatternTest, TakesWildcardsOnlyAsTheLastSegment) {
  for (const auto* text : {"", "/", "*", "**", "/a*", "/a/b*", "/*/b", "/**/b", "/***", "/a/***",
                           "/a//*", "//*", "/a/**/*", "/*/*", "a/*", "/a/* "}) {
    EXPECT_FALSE(ChannelPattern::parse(text, kRules)) << text;
  }
}

TEST(ChannelPatternTest, CountsTheWildcardTowardsTheLimit) {
  const ChannelRules rules{.bytes_max = 6};
  EXPECT_TRUE(ChannelPattern::parse("/abc/*", rules));
  EXPECT_FALSE(ChannelPattern::parse("/abcd/*", rules));
  EXPECT_FALSE(ChannelPattern::parse("/abc/**", rules));
}

TEST(ChannelPatternTest, MatchesWhatTheSpecificationSays) {
  const std::vector<std::string> matching{"/a/b/c", "/a/b/*", "/a/b/**", "/a/**", "/**"};
  for (const auto& text : matching) EXPECT_TRUE(pattern(text).matches("/a/b/c")) << text;
  for (const auto* text :
       {"/*", "/a/*", "/a/b", "/a", "/a/b/c/*", "/a/b/c/**", "/a/b/cc", "/b/**"}) {
    EXPECT_FALSE(pattern(text).matches("/a/b/c")) << text;
  }
  EXPECT_FALSE(pattern("/a/**").matches("/a"));
  EXPECT_FALSE(pattern("/a/*").matches("/a"));
  EXPECT_FALSE(pattern("/a/*").matches("/ab/c"));
  EXPECT_TRUE(pattern("/*").matches("/a"));
}

TEST(ChannelPatternTest, EveryBaseOfAChannelIsVisitedOnceAndTheParentFirst) {
  std::vector<std::pair<std::string, bool>> visited;
  for_each_pattern_base("/a/b/c", [&](std::string_view base, bool is_parent) {
    visited.emplace_back(base, is_parent);
  });
  EXPECT_THAT(visited, ElementsAre(Pair("/a/b", true), Pair("/a", false), Pair("", false)));
}

TEST(ChannelRulesTest, AreTheRealms) {
  Realm realm;
  realm.channel_alphabet = ChannelAlphabet::extended;
  realm.limits.channel_bytes_max = 10;
  realm.limits.channel_segments_max = 2;
  const ChannelRules rules = channel_rules(realm);
  EXPECT_TRUE(ChannelName::parse("/a.b/c", rules));
  EXPECT_FALSE(ChannelName::parse("/a/b/c", rules));
  EXPECT_FALSE(ChannelName::parse("/aaaaaaaaaa", rules));
}

}  // namespace
}  // namespace fanfare::core
