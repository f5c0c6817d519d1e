#include "wire/http1/url.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fanfare::wire::http1 {
namespace {

using testing::ElementsAre;
using testing::Optional;
using testing::Pair;

TEST(PercentDecodeTest, UndoesEscapesInAnyCase) {
  EXPECT_THAT(percent_decode("a%2Fb%2f%C3%A4"), Optional(std::string("a/b/\xc3\xa4")));
  EXPECT_THAT(percent_decode("%00"), Optional(std::string(1, '\0')));
  EXPECT_THAT(percent_decode(""), Optional(std::string()));
}

TEST(PercentDecodeTest, TakesAPlusForASpaceOnlyInForms) {
  EXPECT_THAT(percent_decode("a+b"), Optional(std::string("a+b")));
  EXPECT_THAT(percent_decode("a+b%2B", Plus::is_space), Optional(std::string("a b+")));
}

TEST(PercentDecodeTest, RefusesBrokenEscapes) {
  for (const char* bad : {"%", "%4", "%4x", "%x4", "a%", "%%41", "% 1", "%-1"}) {
    EXPECT_EQ(percent_decode(bad), std::nullopt) << bad;
  }
}

std::vector<std::pair<std::string, std::string>> all(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> fields;
  for (const FormField field : form_fields(text)) {
    fields.emplace_back(field.name().value_or("?"), field.value().value_or("?"));
  }
  return fields;
}

TEST(FormFieldsTest, KeepsOrderAndRepeats) {
  EXPECT_THAT(all("message=%5B1%5D&jsonp=f&message=a+b"),
              ElementsAre(Pair("message", "[1]"), Pair("jsonp", "f"), Pair("message", "a b")));
}

TEST(FormFieldsTest, ToleratesWhatIsMissing) {
  EXPECT_THAT(all(""), ElementsAre());
  EXPECT_THAT(all("&&"), ElementsAre());
  EXPECT_THAT(all("&a&b=&=c&d==e&"),
              ElementsAre(Pair("a", ""), Pair("b", ""), Pair("", "c"), Pair("d", "=e")));
}

TEST(FormFieldsTest, KeepsBrokenEscapesToTheirOwnField) {
  EXPECT_THAT(all("a=%&b=c"), ElementsAre(Pair("a", "?"), Pair("b", "c")));
}

TEST(FormValueTest, IsThatOfTheFirstFieldOfTheName) {
  EXPECT_THAT(form_value("x=0&a%62=1&ab=2", "ab"), Optional(std::string("1")));
  EXPECT_EQ(form_value("x=0", "ab"), std::nullopt);
  EXPECT_EQ(form_value("ab=%", "ab"), std::nullopt);
}

}  // namespace
}  // namespace fanfare::wire::http1
