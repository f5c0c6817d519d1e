#include "api/publish_body.hpp"

#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fanfare::api {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class PublishBodyTest : public testing::Test {
 protected:
  base::Result<std::vector<core::PublishItem>> read(std::string_view body) {
    return read_publish_body(body, std::nullopt, realm_, parser_);
  }
  std::string error(std::string_view body) {
    const auto items = read(body);
    return items ? "(it was taken)" : items.error().detail;
  }

  core::Realm realm_;
  wire::json::Parser parser_;
};

TEST_F(PublishBodyTest, CountsItemsFromNoughtInBrackets) {
  std::string body = R"({"items":[)";
  for (int i = 0; i < 7; ++i) body += R"({"channel":"a","json-object":1},)";
  EXPECT_EQ(error(body + R"({"json-object":1}]})"), "items[7]: 'channel' is missing");
  EXPECT_EQ(error(R"({"items":[7]})"), "items[0]: expected an object, not a number");
  EXPECT_THAT(error(R"({"items":[{"channel":"a b","json-object":1}]})"),
              StartsWith("items[0]: 'channel': "));
  EXPECT_THAT(error(R"({"items":[{"channel":"a","formats":3}]})"),
              StartsWith("items[0]: 'formats': expected an object"));
}

TEST_F(PublishBodyTest, SaysWhatIsWrongWithTheBodyInASentenceThatReadsWell) {
  EXPECT_EQ(error(""), "the body: not valid JSON at byte 0: the text is empty");
  EXPECT_EQ(error(R"({"items":[1,,2]})"), "the body: not valid JSON at byte 12: expected a value");
  EXPECT_EQ(error(std::string(65, '[') + std::string(65, ']')),
            "the body: the JSON is nested deeper than 64 levels");
  EXPECT_EQ(error("[]"), "the body: expected an object, not an array");
  EXPECT_THAT(error("{}"), HasSubstr("has no list 'items'"));
  EXPECT_EQ(error(R"({"items":[]})"), "'items' is empty, there is nothing to publish");
}

TEST_F(PublishBodyTest, PassesOverWhatIsForGripAloneAndTakesTheRest) {
  const auto items = read(
      R"({"items":[{"channel":"x","formats":{"ws-message":{"content":"a"}}},)"
      R"({"channel":"x","http-response":{"body":"b"},"http-stream":{"content":"b"}},)"
      R"({"channel":"events","json-object":true,"formats":{"http-stream":{"content":"c"}}}]})");
  ASSERT_TRUE(items);
  ASSERT_EQ(items->size(), 1U);
  EXPECT_EQ(items->front().publication->data, "true");
  EXPECT_THAT(error(R"({"items":[{"channel":"x","formats":{"ws-message":{}}},{"channel":"x"}]})"),
              StartsWith("items[1]: there is no 'json-object'"));
  EXPECT_THAT(error(R"({"items":[{"channel":"x","formats":{"pigeon":{}}}]})"),
              StartsWith("items[0]: there is no 'json-object'"));
}

}  // namespace
}  // namespace fanfare::api
