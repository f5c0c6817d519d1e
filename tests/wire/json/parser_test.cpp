#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "wire/json/json.hpp"

namespace fanfare::wire::json {
namespace {

using base::Errc;
using namespace std::string_literals;

const std::vector<std::string> kValid = {
    "null",
    "true",
    " false ",
    "\r\n\t 1 \t\r\n",
    "0",
    "-0",
    "-0.0e-0",
    "1E+2",
    "0.1",
    "1e400",
    "-1e-400",
    "18446744073709551616",
    "123456789012345678901234567890",
    "[123456789012345678901234567890, 1e999999999999]",
    "\"\"",
    R"("\"\\\/\b\f\n\r\t")",
    R"("\u0000\u00e9\uFFFF")",
    R"("\ud83d\ude00")",
    R"("\uD83D\uDE00 \uDBFF\uDFFF")",
    R"(["\\", "\\\\", "\\\""])",
    "\"\x7f\"",
    "\"\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80 \xF4\x8F\xBF\xBF \xEE\x80\x80\"",
    "{}",
    "[]",
    "[ ]",
    "{ }",
    "[1]",
    "[1 , [2] , {\"a\" : 3}]",
    R"({"":0,"a":{"b":[null,true,{"c":"]}"}]}})",
    R"({"a":1,"a":2})",
};

const std::vector<std::string> kInvalid = {
    ""s,
    " "s,
    "nul"s,
    "nulll"s,
    "True"s,
    "undefined"s,
    "NaN"s,
    "Infinity"s,
    "-"s,
    "+1"s,
    "01"s,
    "-01"s,
    "1."s,
    ".5"s,
    "1e"s,
    "1e+"s,
    "0x10"s,
    "1 2"s,
    "1,"s,
    "{} {}"s,
    "[1]x"s,
    "[1,,2]"s,
    "[1,]"s,
    "[,1]"s,
    "[1 2]"s,
    "[1}"s,
    "["s,
    "[1"s,
    "]"s,
    "{"s,
    "}"s,
    R"({"x":tru})"s,
    R"({"x"})"s,
    R"({"x":})"s,
    R"({"x":1,})"s,
    R"({"x":1 "y":2})"s,
    R"({"x"=1})"s,
    R"({x:1})"s,
    R"({'x':1})"s,
    R"({1:1})"s,
    R"({"x":1]})"s,
    R"("open)"s,
    R"("open\")"s,
    R"("\x41")"s,
    R"("\u12")"s,
    R"("\u12g4")"s,
    R"("\U0041")"s,
    R"("\ud800")"s,
    R"("\udc00")"s,
    R"("\ud800\u0041")"s,
    R"("\ud800\ud800")"s,
    R"("\ud83dx\ude00")"s,
    R"({"\ud800":1})"s,
    "\"tab\there\""s,
    "\"line\nbreak\""s,
    "\"nul\0byte\""s,
    "[1\0]"s,
    "1\0"s,
    "\0"s,
    "\f[1]"s,
    "\xEF\xBB\xBF{}"s,
    "\xC2\xA0[1]"s,
    "// no\n1"s,
    "/* no */1"s,
    "\"\x80\""s,
    "\"\xC3\""s,
    "\"\xC0\xAF\""s,
    "\"\xE0\x80\x80\""s,
    "\"\xED\xA0\x80\""s,
    "\"\xF0\x80\x80\x80\""s,
    "\"\xF4\x90\x80\x80\""s,
    "\"\xF8\x88\x80\x80\x80\""s,
    "\"\xE2\x82\""s,
    "[123456789012345678901234567890,]"s,
    "[123456789012345678901234567890 01]"s,
    "[1e400, \"\xFF\"]"s,
};

std::string nested(std::size_t levels, const std::string& core) {
  return std::string(levels, '[') + core + std::string(levels, ']');
}

std::string why_not(const std::string& text) {
  Parser parser;
  const auto parsed = parser.parse(text);
  return parsed ? "accepted" : parsed.error().detail;
}

TEST(JsonParserTest, AcceptsEveryFormOfTheGrammarAndKeepsItsBytes) {
  Parser parser;
  for (const std::string& text : kValid) {
    SCOPED_TRACE(text);
    const auto parsed = parser.parse(text);
    ASSERT_TRUE(parsed.has_value());
    const auto validated = validate(text);
    ASSERT_TRUE(validated.has_value());
    EXPECT_EQ(parsed->raw(), validated->raw());
    EXPECT_NE(text.find(parsed->raw()), std::string::npos);
  }
}

TEST(JsonParserTest, RefusesWhatIsOnlyAlmostJson) {
  Parser parser;
  for (const std::string& text : kInvalid) {
    SCOPED_TRACE(text);
    const auto parsed = parser.parse(text);
    ASSERT_FALSE(parsed.has_value());
    EXPECT_EQ(parsed.error().code, Errc::invalid);
    ASSERT_FALSE(validate(text).has_value());
  }
}

TEST(JsonParserTest, RefusesEveryTextThatIsCutShort) {
  Parser parser;
  const std::string whole = R"({"a":[1.5e+3,-2,"\ud83d\ude00é\n"],"b":{"c":null,"d":true}})";
  ASSERT_TRUE(parser.parse(whole).has_value());
  for (std::size_t length = 0; length < whole.size(); ++length) {
    SCOPED_TRACE(length);
    EXPECT_FALSE(parser.parse(whole.substr(0, length)).has_value());
    EXPECT_FALSE(validate(whole.substr(0, length)).has_value());
  }
}

TEST(JsonParserTest, TellsTheWriterWhatIsWrongAndWhere) {
  EXPECT_EQ(why_not(""), "not valid JSON at byte 0: the text is empty");
  EXPECT_EQ(why_not("[1,,2]"), "not valid JSON at byte 3: expected a value");
  EXPECT_EQ(why_not("[1"), "not valid JSON at byte 2: the text ends too early");
  EXPECT_EQ(why_not("[1 2]"), "not valid JSON at byte 3: expected ',' or ']'");
  EXPECT_EQ(why_not("{'a':1}"), "not valid JSON at byte 1: expected a key in double quotes");
  EXPECT_EQ(why_not(R"({"a":tru})"), "not valid JSON at byte 5: expected true, false or null");
  EXPECT_EQ(why_not("{} {}"), "not valid JSON at byte 3: nothing may follow the value");
  EXPECT_EQ(why_not("01"), "not valid JSON at byte 1: a number must not begin with 0");
  EXPECT_EQ(why_not("\xEF\xBB\xBF{}"),
            "not valid JSON at byte 0: a byte order mark is not allowed");
  EXPECT_EQ(why_not("\"\xFF\""), "not valid JSON at byte 1: the text is not UTF-8");
  EXPECT_EQ(why_not(R"("\udc00")"),
            "not valid JSON at byte 1: half of a surrogate pair stands alone");
}

TEST(JsonParserTest, CountsLevelsExactly) {
  Parser parser(3);
  for (const std::string core : {"", "1", "{}"}) {
    SCOPED_TRACE(core);
    const std::size_t own_levels = core == "{}" ? 1 : 0;
    EXPECT_TRUE(parser.parse(nested(3 - own_levels, core)).has_value());
    const auto deeper = parser.parse(nested(4 - own_levels, core));
    ASSERT_FALSE(deeper.has_value());
    EXPECT_EQ(deeper.error().code, Errc::invalid);
    EXPECT_EQ(deeper.error().detail, "the JSON is nested deeper than 3 levels");
  }
}

TEST(JsonParserTest, SurvivesAMegabyteOfOpenBrackets) {
  Parser parser;
  const auto parsed = parser.parse(std::string(1 << 20, '['));
  ASSERT_FALSE(parsed.has_value());
  EXPECT_EQ(parsed.error().code, Errc::invalid);
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += R"({"a":)";
  EXPECT_FALSE(parser.parse(objects).has_value());
}

TEST(JsonParserTest, IsUsableAfterARefusalAndAfterALargeText) {
  Parser parser;
  EXPECT_FALSE(parser.parse("[1,").has_value());
  const std::string large = json::quoted(std::string(200'000, 'x'));
  EXPECT_EQ(parser.parse(large)->raw(), large);
  EXPECT_EQ(parser.parse("[7]")->raw(), "[7]");
}

TEST(JsonParserTest, MovesWithItsText) {
  Parser parser;
  const Value value = *parser.parse("[1,2]");
  Parser moved = std::move(parser);
  EXPECT_EQ(value.element_count(), 2U);
  EXPECT_TRUE(moved.parse("3").has_value());
}

/// Goal: the fast check and the slow one agree on what is JSON.
/// Method: valid texts with one to three bytes changed, dropped or doubled, at random.
TEST(JsonParserTest, AcceptsNothingThatTheSlowCheckRefuses) {
  std::mt19937_64 random(20150613);  // NOLINT(cert-msc51-cpp): the same texts in every run
  constexpr std::string_view kBytes = "{}[]\",:\\u0129defn.-+ \n\x80\xC3\xED";
  Parser parser;
  int accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text = kValid[random() % kValid.size()];
    for (std::size_t change = random() % 3 + 1; change > 0 && !text.empty(); --change) {
      const std::size_t at = random() % text.size();
      const char byte = kBytes[random() % kBytes.size()];
      switch (random() % 3) {
        case 0:
          text[at] = byte;
          break;
        case 1:
          text.erase(at, 1);
          break;
        default:
          text.insert(at, 1, byte);
      }
    }
    SCOPED_TRACE(text);
    const auto parsed = parser.parse(text);
    const auto validated = validate(text);
    ASSERT_EQ(parsed.has_value(), validated.has_value());
    if (!parsed) continue;
    ASSERT_EQ(parsed->raw(), validated->raw());
    ++accepted;
  }
  EXPECT_GT(accepted, 1000);
}

}  // namespace
}  // namespace fanfare::wire::json
