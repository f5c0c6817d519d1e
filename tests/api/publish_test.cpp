#include "api/publish.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/api_requests.hpp"
#include "base/base64.hpp"
#include "core/office.hpp"
#include "core/publications.hpp"

namespace fanfare::api {
namespace {

using core::pattern;
using core::Recorder;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class PublishTest : public ::testing::Test {
 protected:
  PublishTest() {
    realm_.id = core::RealmId("myrealm");
    realm_.keys.push_back(*core::parse_realm_key("MDEyMzQ1Njc4OWFiY2RlZg=="));
  }

  /// Everything that was published so far: "/channel data".
  std::vector<std::string> published() {
    std::vector<std::string> lines;
    for (const auto& one : listener_.got) lines.push_back(one->channel.text() + ' ' + one->data);
    return lines;
  }
  wire::http1::Response handle(const wire::http1::Request& request, std::string_view channel = "") {
    const auto realm = std::make_shared<const core::Realm>(realm_);
    if (!listening_) {
      listening_ = office_[0].subscribe(realm, pattern("/**"), listener_, [] {});
      office_.carry_all();
    }
    std::optional<wire::http1::Response> answer;
    api_.handle(request, realm, channel, [&answer](wire::http1::Response response) {
      EXPECT_FALSE(answer) << "answered twice";
      answer = std::move(response);
    });
    office_.carry_all();
    EXPECT_TRUE(answer) << "not answered";
    return answer.value_or(wire::http1::Response{});
  }
  wire::http1::Response post(std::string_view body, std::string_view channel = "") {
    return handle(request("POST", "/", body, kAuthorization), channel);
  }
  std::string refusal(std::string_view body, std::string_view channel = "") {
    const auto response = post(body, channel);
    EXPECT_GE(response.status, 400) << body;
    return response.body;
  }

  const std::string kAuthorization =
      "Authorization: Basic " + base::encode_base64("myrealm:MDEyMzQ1Njc4OWFiY2RlZg==") + "\r\n";
  core::Office office_{3};
  core::Realm realm_;
  Recorder listener_;
  std::optional<core::Subscription> listening_;
  PublishApi api_{office_[0], office_.clock};
};

// ---- What clients send (spec/fanout section 3.2)

TEST_F(PublishTest, TakesEveryShapeThatLibrariesSend) {
  for (const auto* body :
       {R"({"items":[{"channel":"c","json-object":7}]})",
        R"({"items":[{"id":"a","prev-id":"","json-object":7,"channel":"c"}]})",
        R"({"items":[{"channel":"c","formats":{"json-object":7}}]})",
        R"({"items":[{"exports":{},"channel":"c","json-object":7}]})",
        R"({"items":[{"channel":"c","fpp":7}]})",
        R"({"items":[{"channel":"c","formats":{"fpp":7}}]})",
        R"({"items":[{"channel":"c","formats":{"http-response":{"body":"x"},"json-object":7}}]})",
        R"({"items":[{"channel":"c","json-object":7,"meta":{"a":"b"},"no-seq":true,"size":1}]})",
        R"({"items":[{"channel":"c","json-object":7,"id":null,"prev-id":null}]})",
        "{\"items\":\r\n[ {\"channel\":\"\\u0063\",\n\"json-object\" : 7 } ] }"}) {
    listener_.got.clear();
    const auto response = post(body);
    EXPECT_EQ(response.status, 200) << body << response.body;
    EXPECT_EQ(response.body, "{\"published\":1}\n");
    EXPECT_THAT(published(), ElementsAre("/c 7")) << body;
    office_.clock.advance(std::chrono::minutes(2));
    office_.wheel.advance(office_.clock.now());
  }
}

TEST_F(PublishTest, TakesTheChannelFromThePath) {
  EXPECT_EQ(post(R"({"items":[{"fpp":1}]})", "c").status, 200);
  EXPECT_EQ(post(R"({"items":[{"formats":{"json-object":2}}]})", "a%2Fb").status, 200);
  EXPECT_EQ(post(R"({"items":[{"channel":"c","json-object":3}]})", "c").status, 200);
  EXPECT_THAT(published(), ElementsAre("/c 1", "/a/b 2", "/c 3"));
  EXPECT_THAT(refusal(R"({"items":[{"channel":"d","json-object":3}]})", "c"),
              HasSubstr("not the channel in the path"));
  EXPECT_THAT(refusal(R"({"items":[{"json-object":3}]})", "%zz"), HasSubstr("broken %-escape"));
}

TEST_F(PublishTest, ForwardsAnyValueAsItWasWritten) {
  for (const std::string& data : std::vector<std::string>{
           "null", "true", "[1, 2]", "\"\\u00e9\"", "{\"b\":1,\"a\":1, \"a\":2}",
           "123456789012345678901234567890", "1e400", "-0.0"}) {
    listener_.got.clear();
    EXPECT_EQ(post(R"({"items":[{"channel":"c","json-object":)" + data + "}]}").status, 200);
    EXPECT_THAT(published(), ElementsAre("/c " + data));
  }
}

TEST_F(PublishTest, ItemsOfOneChannelKeepTheirOrder) {
  std::string body = R"({"items":[)";
  for (int i = 0; i < 30; ++i) {
    body += R"({"channel":"c","json-object":)" + std::to_string(i) + "}" + (i < 29 ? "," : "]}");
  }
  EXPECT_EQ(post(body).body, "{\"published\":30}\n");
  const auto got = published();
  ASSERT_EQ(got.size(), 30U);
  for (std::size_t i = 0; i < 30; ++i) EXPECT_EQ(got[i], "/c " + std::to_string(i));
}

TEST_F(PublishTest, DropsWhatComesTwiceAndSaysThatItIsThere) {
  const std::string_view body = R"({"items":[{"channel":"c","json-object":1,"id":"x"}]})";
  EXPECT_EQ(post(body).status, 200);
  EXPECT_EQ(post(body).status, 200);
  EXPECT_THAT(published(), ElementsAre("/c 1"));
}

// ---- All or nothing

TEST_F(PublishTest, RefusesABatchWholeAndNamesTheItem) {
  EXPECT_THAT(refusal(R"({"items":[{"channel":"c","json-object":1},{"channel":"c"}]})"),
              HasSubstr("items[1]: "));
  EXPECT_THAT(published(), IsEmpty());
}

TEST_F(PublishTest, SaysWhatIsWrongWithAnItem) {
  const auto item = [](std::string_view fields) {
    return R"({"items":[{)" + std::string(fields) + "}]}";
  };
  EXPECT_THAT(refusal(item(R"("json-object":1)")), HasSubstr("'channel' is missing"));
  EXPECT_THAT(refusal(item(R"("channel":5,"json-object":1)")), HasSubstr("not a string"));
  EXPECT_THAT(refusal(item(R"("channel":"/c","json-object":1)")), HasSubstr("leave it out"));
  EXPECT_THAT(refusal(item(R"("channel":"a b","json-object":1)")), HasSubstr("a space"));
  EXPECT_THAT(refusal(item(R"("channel":"a*","json-object":1)")), HasSubstr("'*'"));
  EXPECT_THAT(refusal(item(R"("channel":"c")")), HasSubstr("no 'json-object'"));
  EXPECT_THAT(refusal(item(R"("channel":"c","formats":[])")), HasSubstr("'formats'"));
  EXPECT_THAT(refusal(item(R"("channel":"c","json-object":1,"id":5)")), HasSubstr("'id'"));
  EXPECT_THAT(refusal(item(R"("channel":"c","json-object":1,"json-object":2)")),
              HasSubstr("json-object"));
  for (const auto* name : {"meta", "meta/x", "service", "service/x"}) {
    EXPECT_THAT(refusal(item(R"("channel":")" + std::string(name) + R"(","json-object":1)")),
                HasSubstr("belong to the protocol"));
  }
  EXPECT_EQ(post(item(R"("channel":"metal","json-object":1)")).status, 200);
}

TEST_F(PublishTest, NothingThatIsNotJsonReachesASubscriber) {
  for (const auto* body : {"", "{", R"({"items":[{"channel":"c","json-object":tru}]})",
                           R"({"items":[{"channel":"c","json-object":01}]})",
                           R"({"items":[{"channel":"c","json-object":[1,,2]}]})",
                           "{\"items\":[{\"channel\":\"c\",\"json-object\":\"\xff\"}]}",
                           "{\"items\":[{\"channel\":\"c\",\"json-object\":\"\n\"}]}",
                           R"({"items":[{"channel":"c","json-object":1}]}x)", "[]", "5",
                           R"({"items":{}})", R"({"items":[]})", R"({"items":[5]})"}) {
    EXPECT_EQ(post(body).status, 400) << body;
  }
  EXPECT_THAT(published(), IsEmpty());
}

TEST_F(PublishTest, KeepsTheRealmsLimits) {
  realm_.limits.message_bytes_max = 10;
  realm_.limits.batch_messages_max = 2;
  EXPECT_EQ(post(R"({"items":[{"channel":"c","json-object":"12345678"}]})").status, 200);
  EXPECT_EQ(post(R"({"items":[{"channel":"c","json-object":"123456789"}]})").status, 413);
  EXPECT_EQ(post(R"({"items":[{"channel":"c","json-object":1},{"channel":"c","json-object":1},)"
                 R"({"channel":"c","json-object":1}]})")
                .status,
            413);
  EXPECT_EQ(
      post(R"({"items":[{"channel":"c","json-object":1,"id":")" + std::string(129, 'i') + R"("}]})")
          .status,
      413);
  EXPECT_THAT(published(), ElementsAre("/c \"12345678\""));
}

// ---- Who may

TEST_F(PublishTest, WantsProofAndSaysHowToGiveIt) {
  const std::string_view body = R"({"items":[{"channel":"c","json-object":1}]})";
  const auto response = handle(request("POST", "/", body));
  EXPECT_EQ(response.status, 401);
  EXPECT_THAT(response.body, HasSubstr("Authorization is missing"));
  EXPECT_EQ(handle(request("POST", "/", body, "Authorization: Bearer no\r\n")).status, 401);
  EXPECT_THAT(published(), IsEmpty());
}

TEST_F(PublishTest, PublicChannelsTakeFromAnyoneWhereTheRealmSaysSo) {
  const std::string_view open = R"({"items":[{"channel":"!c","json-object":1}]})";
  EXPECT_EQ(handle(request("POST", "/", open)).status, 401);
  realm_.anonymous_publish = true;
  EXPECT_EQ(handle(request("POST", "/", open)).status, 200);
  EXPECT_EQ(handle(request("POST", "/", R"({"items":[{"channel":"+c","json-object":2}]})")).status,
            200);
  EXPECT_EQ(handle(request("POST", "/",
                           R"({"items":[{"channel":"!c","json-object":3},)"
                           R"({"channel":"c","json-object":3}]})"))
                .status,
            401);
  // A wrong proof is worse than none.
  EXPECT_EQ(handle(request("POST", "/", open, "Authorization: Bearer no\r\n")).status, 401);
  EXPECT_THAT(published(), ElementsAre("/!c 1", "/+c 2"));
}

TEST_F(PublishTest, LetsPagesOfOtherOriginsPublishAndReadTheAnswer) {
  const auto preflight =
      handle(request("OPTIONS", "/", "",
                     "Origin: https://a.example\r\nAccess-Control-Request-Method: POST\r\n"
                     "Access-Control-Request-Headers: content-type\r\n"));
  EXPECT_EQ(preflight.status / 100, 2);
  EXPECT_EQ(header_of(preflight, "Access-Control-Allow-Origin"), "https://a.example");
  const std::string origin = "Origin: https://a.example\r\n";
  for (const auto* body : {R"({"items":[{"channel":"c","json-object":1}]})", "broken"}) {
    EXPECT_EQ(header_of(handle(request("POST", "/", body, kAuthorization + origin)),
                        "Access-Control-Allow-Origin"),
              "https://a.example")
        << body;
  }
}

TEST_F(PublishTest, TakesNoOtherMethod) {
  for (const auto* method : {"GET", "HEAD", "PUT", "DELETE", "PATCH"}) {
    const auto response = handle(request(method, "/", "", kAuthorization));
    EXPECT_EQ(response.status, 405) << method;
    EXPECT_EQ(header_of(response, "Allow"), "POST, OPTIONS");
  }
}

}  // namespace
}  // namespace fanfare::api
