#include <string>

#include <gtest/gtest.h>

#include "wire/json/json.hpp"

namespace fanfare::wire::json {
namespace {

using namespace std::string_literals;

TEST(JsonWriteTest, QuotesAndEscapesWhatMustBe) {
  EXPECT_EQ(json::quoted(""), R"("")");
  EXPECT_EQ(json::quoted("/foo/bar-1"), R"("/foo/bar-1")");
  EXPECT_EQ(json::quoted("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(json::quoted("\n\x1f\0"s), R"("\u000a\u001f\u0000")");
  EXPECT_EQ(json::quoted("caf\xC3\xA9 \xF0\x9F\x98\x80\x7f"),
            "\"caf\xC3\xA9 \xF0\x9F\x98\x80\x7f\"");
}

TEST(JsonWriteTest, AppendsToWhatIsThere) {
  std::string out = "[";
  append_quoted(out, "x");
  EXPECT_EQ(out, "[\"x\"");
}

TEST(JsonWriteTest, ReplacesBytesThatAreNotUtf8) {
  EXPECT_EQ(json::quoted("a\xFF\x62"), "\"a\xEF\xBF\xBD\x62\"");
  EXPECT_EQ(json::quoted("\xC3"), "\"\xEF\xBF\xBD\"");
  EXPECT_EQ(json::quoted("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

TEST(JsonWriteTest, WritesValidJsonForEveryPairOfBytes) {
  Parser parser;
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string text{static_cast<char>(first), static_cast<char>(second)};
      const std::string written = json::quoted(text);
      const auto parsed = parser.parse(written);
      ASSERT_TRUE(parsed.has_value()) << first << " " << second;
      const bool is_ascii = first < 128 && second < 128;
      ASSERT_TRUE(!is_ascii || parsed->as_string() == text) << first << " " << second;
    }
  }
}

TEST(JsonWriteTest, PutsAValueOnOneLine) {
  EXPECT_EQ(single_line("{\r\n  \"a\": \"x\\ny\",\n  \"b\": 1\r}\n"),
            R"({  "a": "x\ny",  "b": 1})");
  EXPECT_EQ(single_line("7"), "7");
  EXPECT_EQ(single_line("\n"), "");
  EXPECT_EQ(single_line(""), "");
}

}  // namespace
}  // namespace fanfare::wire::json
