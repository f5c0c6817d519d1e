#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "wire/json/json.hpp"

namespace fanfare::wire::json {
namespace {

using namespace std::string_literals;
using Strings = std::vector<std::string>;

// The texts are literals, so the views into them last.
Value value_of(std::string_view text) {
  auto value = validate(text);
  EXPECT_TRUE(value.has_value()) << text;
  return *value;
}

TEST(JsonValueTest, KnowsItsKind) {
  EXPECT_EQ(value_of("{}").kind(), Kind::object);
  EXPECT_EQ(value_of("[]").kind(), Kind::array);
  EXPECT_EQ(value_of("\"\"").kind(), Kind::string);
  EXPECT_EQ(value_of("-1").kind(), Kind::number);
  EXPECT_EQ(value_of("0").kind(), Kind::number);
  EXPECT_EQ(value_of("true").kind(), Kind::boolean);
  EXPECT_EQ(value_of("false").kind(), Kind::boolean);
  EXPECT_EQ(value_of("null").kind(), Kind::null);
  EXPECT_TRUE(Value().is_null());
  EXPECT_EQ(Value().raw(), "null");
}

TEST(JsonValueTest, GivesItsBytesWithoutTheSpaceAround) {
  EXPECT_EQ(value_of(" \n[1, 2 ]\t").raw(), "[1, 2 ]");
  EXPECT_EQ(value_of(R"({ "a" : 1e400 , "b":2})").find("a")->raw(), "1e400");
  EXPECT_EQ(value_of("[ 12345678901234567890123 ]").raw(), "[ 12345678901234567890123 ]");
}

TEST(JsonValueTest, ResolvesEscapes) {
  EXPECT_EQ(value_of(R"("a\"\\\/\b\f\n\r\tz")").as_string(), "a\"\\/\b\f\n\r\tz");
  EXPECT_EQ(value_of(R"("\u0041\u00e9\u20AC\ud83d\ude00\u0000.")").as_string(),
            "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\0."s);
  EXPECT_EQ(value_of(R"("\udbff\udfff")").as_string(), "\xF4\x8F\xBF\xBF");
  EXPECT_EQ(value_of(R"("")").as_string(), "");
  EXPECT_EQ(value_of(R"("plain")").as_string(), "plain");
}

TEST(JsonValueTest, GivesAPlainStringOnlyWhenNothingIsEscaped) {
  EXPECT_EQ(value_of(R"("plain")").plain_string(), "plain");
  EXPECT_EQ(value_of(R"("")").plain_string(), "");
  EXPECT_EQ(value_of(R"("a\n")").plain_string(), std::nullopt);
  EXPECT_EQ(value_of("12").plain_string(), std::nullopt);
}

TEST(JsonValueTest, EqualsATextHoweverItIsEscaped) {
  EXPECT_TRUE(value_of(R"("data")").equals("data"));
  EXPECT_TRUE(value_of(R"("d\u0061ta")").equals("data"));
  EXPECT_TRUE(value_of(R"("a\nb")").equals("a\nb"));
  EXPECT_FALSE(value_of(R"("a\nb")").equals(R"(a\nb)"));
  EXPECT_FALSE(value_of(R"("data")").equals("dat"));
  EXPECT_FALSE(value_of(R"("dat")").equals("data"));
  EXPECT_FALSE(value_of("true").equals("ru"));
}

TEST(JsonValueTest, ReadsIntegersThatFit) {
  EXPECT_EQ(value_of("0").as_int64(), 0);
  EXPECT_EQ(value_of("-0").as_int64(), 0);
  EXPECT_EQ(value_of("9223372036854775807").as_int64(), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(value_of("-9223372036854775808").as_int64(), std::numeric_limits<std::int64_t>::min());
  for (const auto* text : {"9223372036854775808", "1.0", "1e3", "\"1\"", "true", "null", "[1]"}) {
    EXPECT_EQ(value_of(text).as_int64(), std::nullopt) << text;
  }
}

TEST(JsonValueTest, ReadsAnyNumberAsADouble) {
  EXPECT_EQ(value_of("1e9").as_double(), 1e9);
  EXPECT_EQ(value_of("1795478124.5").as_double(), 1795478124.5);
  EXPECT_EQ(value_of("1e400").as_double(), HUGE_VAL);
  EXPECT_EQ(value_of("-1e400").as_double(), -HUGE_VAL);
  EXPECT_EQ(value_of("1e-400").as_double(), 0.0);
  EXPECT_EQ(value_of("true").as_double(), std::nullopt);
  EXPECT_EQ(value_of("\"1\"").as_double(), std::nullopt);
}

TEST(JsonValueTest, HasEmptyAnswersForQuestionsThatDoNotFit) {
  const Value number = value_of("7");
  EXPECT_EQ(number.as_string(), "");
  EXPECT_EQ(number.as_bool(), std::nullopt);
  EXPECT_EQ(number.element_count(), 0U);
  EXPECT_EQ(number.find("a"), std::nullopt);
  number.for_each_field([](const Value&, const Value&) { ADD_FAILURE(); });
  value_of("{\"a\":1}").for_each_element([](const Value&) { ADD_FAILURE(); });
  EXPECT_EQ(value_of("true").as_bool(), true);
  EXPECT_EQ(value_of("false").as_bool(), false);
}

TEST(JsonValueTest, VisitsFieldsInOrderWithTheirBytes) {
  Strings seen;
  value_of(R"( { "a" : [1,{"x":"]"}] ,"b\"":"\\","c":{} , "a":-1.5e3,"":null})")
      .for_each_field([&](const Value& key, const Value& value) {
        seen.push_back(key.as_string() + "=" + std::string(value.raw()));
      });
  EXPECT_EQ(seen, (Strings{R"(a=[1,{"x":"]"}])", R"(b"="\\")", "c={}", "a=-1.5e3", "=null"}));
}

TEST(JsonValueTest, VisitsElementsInOrderWithTheirBytes) {
  Strings seen;
  value_of(R"([1 , "a,]\"" ,[ [],{} ],true,null ])").for_each_element([&](const Value& element) {
    seen.emplace_back(element.raw());
  });
  EXPECT_EQ(seen, (Strings{"1", R"("a,]\"")", "[ [],{} ]", "true", "null"}));
  EXPECT_EQ(value_of("[1,[2,3],4]").element_count(), 3U);
  EXPECT_EQ(value_of("[ ]").element_count(), 0U);
}

TEST(JsonValueTest, StopsWhenTheVisitorHasSeenEnough) {
  int calls = 0;
  value_of("[1,2,3]").for_each_element([&](const Value&) { return ++calls < 2; });
  EXPECT_EQ(calls, 2);
  value_of(R"({"a":1,"b":2})").for_each_field([&](const Value&, const Value&) {
    ++calls;
    return false;
  });
  EXPECT_EQ(calls, 3);
}

TEST(JsonValueTest, FindsTheFirstFieldOfAName) {
  const Value object = value_of(R"({"a":{"b":9},"b":1,"b":2})");
  EXPECT_EQ(object.find("b")->raw(), "1");
  EXPECT_EQ(object.find("c"), std::nullopt);
}

TEST(JsonPickTest, TakesTheNamedFieldsAndIgnoresOthers) {
  const auto fields = pick_fields<3>(value_of(R"({"x":0,"id":"1","x":0,"channel":"c"})"),
                                     {"channel", "id", "data"});
  ASSERT_TRUE(fields.has_value());
  const auto& [channel, id, data] = *fields;
  EXPECT_EQ(channel->raw(), R"("c")");
  EXPECT_EQ(id->raw(), R"("1")");
  EXPECT_FALSE(data.has_value());
}

TEST(JsonPickTest, RefusesANameThatStandsTwiceHoweverItIsSpelt) {
  for (const auto* text : {R"({"id":1,"id":1})", R"({"id":1,"a":2,"\u0069d":3})"}) {
    const auto fields = pick_fields<1>(value_of(text), {"id"});
    ASSERT_FALSE(fields.has_value()) << text;
    EXPECT_EQ(fields.error().code, base::Errc::invalid);
    EXPECT_EQ(fields.error().detail, "the key \"id\" stands twice");
  }
}

TEST(JsonPickTest, RefusesAnythingButAnObject) {
  EXPECT_EQ(pick_fields<1>(value_of("[]"), {"id"}).error().detail,
            "expected an object, not an array");
}

}  // namespace
}  // namespace fanfare::wire::json
