#include "wire/bayeux/message.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace fanfare::wire::bayeux {
namespace {

using Names = std::vector<std::string_view>;

/// A parser, and the one message of what it read last.
class BayeuxMessageTest : public ::testing::Test {
 protected:
  const Message& read(std::string_view text) {
    const auto messages = parser.parse(text, 3);
    EXPECT_TRUE(messages.has_value()) << text << ": " << messages.error().detail;
    EXPECT_EQ(messages->size(), 1U);
    return messages->front();
  }

  // "accepted", or the reason.
  std::string verdict(std::string_view text) {
    const auto messages = parser.parse(text, 3);
    return messages ? "accepted" : messages.error().detail;
  }

  static Names names(const ListField& field) { return {field.names.begin(), field.names.end()}; }

  MessageParser parser;
};

TEST_F(BayeuxMessageTest, ReadsAHandshake) {
  const Message& message =
      read(R"([{"id":"1","version":"1.0","minimumVersion":"1.0","channel":"/meta/handshake",)"
           R"("supportedConnectionTypes":["websocket","long-polling"],"ext":{"ack":true},)"
           R"("advice":{"timeout":60000,"interval":0}}])");
  EXPECT_EQ(message.channel.text, "/meta/handshake");
  EXPECT_EQ(message.id.text, "\"1\"");
  EXPECT_TRUE(message.has_version);
  EXPECT_EQ(message.version, "1.0");
  EXPECT_TRUE(message.supported_connection_types.is_given());
  EXPECT_EQ(names(message.supported_connection_types), (Names{"websocket", "long-polling"}));
  EXPECT_EQ(message.advice_timeout_ms, 60'000);
  EXPECT_EQ(message.ext->raw(), R"({"ack":true})");
  EXPECT_EQ(message.ack.enabled, true);
  EXPECT_EQ(message.client_id.given, Given::no);
  EXPECT_EQ(message.data, std::nullopt);
}

TEST_F(BayeuxMessageTest, ReadsAConnect) {
  const Message& message =
      read(R"({"channel":"/meta/connect","clientId":"abc","connectionType":"websocket","id":4,)"
           R"("advice":{"timeout":0},"ext":{"ack":17}})");
  EXPECT_EQ(message.client_id.text, "abc");
  EXPECT_EQ(message.connection_type.text, "websocket");
  EXPECT_EQ(message.id.text, "4");
  EXPECT_EQ(message.advice_timeout_ms, 0);
  EXPECT_EQ(message.ack.batch, 17);
  EXPECT_EQ(message.ack.enabled, std::nullopt);
}

TEST_F(BayeuxMessageTest, ReadsAPublishAndLeavesItsDataAlone) {
  const Message& message =
      read(R"({"channel":"/a","data": {"n": 12345678901234567890123, "n":1e400,"t":"\u00e9"} })");
  EXPECT_EQ(message.data->raw(), R"({"n": 12345678901234567890123, "n":1e400,"t":"\u00e9"})");
  EXPECT_EQ(read(R"({"channel":"/a","data":null})").data->raw(), "null");
  EXPECT_EQ(read(R"({"channel":"/a"})").data, std::nullopt);
}

TEST_F(BayeuxMessageTest, KeepsTheShapeOfASubscription) {
  const Message& one = read(R"({"subscription":"/foo/*"})");
  EXPECT_EQ(one.subscription.raw, "\"/foo/*\"");
  EXPECT_EQ(names(one.subscription), (Names{"/foo/*"}));
  const Message& several = read(R"({"subscription":["/a", "/b"]})");
  EXPECT_EQ(several.subscription.raw, R"(["/a", "/b"])");
  EXPECT_EQ(names(several.subscription), (Names{"/a", "/b"}));
  const Message& none = read(R"({"subscription":[]})");
  EXPECT_TRUE(none.subscription.is_given());
  EXPECT_TRUE(none.subscription.names.empty());
}

TEST_F(BayeuxMessageTest, TellsAWrongFieldFromAnAbsentOne) {
  const Message& wrong =
      read(R"({"channel":7,"clientId":{},"connectionType":null,"subscription":["/a",7],"id":[1],)"
           R"("supportedConnectionTypes":"websocket","version":1,"advice":"x","ext":"y"})");
  EXPECT_EQ(wrong.channel.given, Given::wrongly);
  EXPECT_EQ(wrong.client_id.given, Given::wrongly);
  EXPECT_EQ(wrong.connection_type.given, Given::wrongly);
  EXPECT_EQ(wrong.id.given, Given::wrongly);
  EXPECT_EQ(wrong.subscription.given, Given::wrongly);
  EXPECT_EQ(wrong.subscription.raw, R"(["/a",7])");
  EXPECT_TRUE(wrong.subscription.names.empty());
  EXPECT_EQ(names(wrong.supported_connection_types), (Names{"websocket"}));
  EXPECT_TRUE(wrong.has_version);
  EXPECT_EQ(wrong.version, "");
  EXPECT_EQ(wrong.ext->raw(), "\"y\"");

  const Message& absent = read("{}");
  EXPECT_EQ(absent.channel.given, Given::no);
  EXPECT_EQ(absent.id.given, Given::no);
  EXPECT_EQ(absent.subscription.given, Given::no);
  EXPECT_FALSE(absent.has_version);
}

TEST_F(BayeuxMessageTest, ResolvesEscapesInNamesButNotInTokens) {
  const Message& message =
      read(R"({"channel":"\/meta\/subscribe","clientId":"\u0061","id":"\u0062",)"
           R"("subscription":["\/a","/\u00e9",""]})");
  EXPECT_EQ(message.channel.text, "/meta/subscribe");
  EXPECT_EQ(message.client_id.text, "a");
  EXPECT_EQ(message.id.text, R"("\u0062")");
  EXPECT_EQ(names(message.subscription), (Names{"/a", "/\xC3\xA9", ""}));
  EXPECT_EQ(message.subscription.raw, R"(["\/a","/\u00e9",""])");
}

TEST_F(BayeuxMessageTest, BoundsAnId) {
  const std::string fits(64, '7');
  EXPECT_EQ(read("{\"id\":\"" + fits + "\"}").id.text, "\"" + fits + "\"");
  EXPECT_EQ(read("{\"id\":" + fits + "}").id.text, fits);
  EXPECT_EQ(read("{\"id\":\"" + fits + "7\"}").id.given, Given::wrongly);
  EXPECT_EQ(read("{\"id\":" + fits + "7}").id.given, Given::wrongly);
  for (const auto* text : {R"({"id":null})", R"({"id":true})", R"({"id":{}})"}) {
    EXPECT_EQ(read(text).id.given, Given::wrongly) << text;
  }
}

TEST_F(BayeuxMessageTest, ReadsEveryFormOfAnAck) {
  EXPECT_EQ(read(R"({"ext":{"ack":false}})").ack.enabled, false);
  const Message& both = read(R"({"ext":{"ack":{"enabled":true,"batch":5}}})");
  EXPECT_EQ(both.ack.enabled, true);
  EXPECT_EQ(both.ack.batch, 5);
  for (const auto* text :
       {R"({"ext":{}})", R"({"ext":null})", R"({"ext":{"ack":null}})", R"({"ext":{"ack":"1"}})",
        R"({"ext":{"ack":1.5}})", R"({"ext":{"ack":{}}})", R"({"ext":{"ack":{"batch":"1"}}})"}) {
    const AckField ack = read(text).ack;
    EXPECT_TRUE(!ack.enabled && !ack.batch) << text;
  }
}

TEST_F(BayeuxMessageTest, TakesOnlyATimeoutThatCanBeOne) {
  for (const auto* timeout : {"-1", "1.5", "\"0\"", "null", "99999999999999999999"}) {
    const std::string text = std::string(R"({"advice":{"timeout":)") + timeout + "}}";
    EXPECT_EQ(read(text).advice_timeout_ms, std::nullopt) << text;
  }
}

TEST_F(BayeuxMessageTest, ReadsAnEmptyArrayAsNoMessages) {
  const auto messages = parser.parse(" [ ] ", 3);
  ASSERT_TRUE(messages.has_value());
  EXPECT_TRUE(messages->empty());
}

TEST_F(BayeuxMessageTest, KeepsTheOrderOfABatch) {
  const auto messages = parser.parse(R"([{"id":1},{"id":2},{"id":3}])", 3);
  ASSERT_EQ(messages->size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ((*messages)[i].id.text, std::to_string(i + 1));
}

TEST_F(BayeuxMessageTest, RefusesWhatIsNoMessage) {
  EXPECT_EQ(verdict("7"), "expected an array of messages or one message, not a number");
  EXPECT_EQ(verdict("null"), "expected an array of messages or one message, not null");
  EXPECT_EQ(verdict(R"([{},[]])"), "message 2: expected an object, not an array");
  EXPECT_EQ(verdict("[{]"), "not valid JSON at byte 2: expected a key in double quotes");
}

TEST_F(BayeuxMessageTest, RefusesMoreMessagesThanAllowed) {
  EXPECT_EQ(verdict("[{},{},{}]"), "accepted");
  const auto messages = parser.parse("[{},{},{},{}]", 3);
  ASSERT_FALSE(messages.has_value());
  EXPECT_EQ(messages.error().code, base::Errc::too_large);
  EXPECT_EQ(messages.error().detail, "more messages in one request than batch_messages_max = 3");
}

TEST_F(BayeuxMessageTest, RefusesAFieldOfOursThatStandsTwice) {
  EXPECT_EQ(verdict(R"([{},{"channel":"/a","ch\u0061nnel":"/b"}])"),
            "message 2: the key \"channel\" stands twice");
  EXPECT_EQ(verdict(R"({"ext":{"ack":1,"ack":2}})"), "message 1: the key \"ack\" stands twice");
  EXPECT_EQ(verdict(R"({"advice":{"timeout":1,"timeout":2}})"),
            "message 1: the key \"timeout\" stands twice");
  EXPECT_EQ(verdict(R"({"x":1,"x":2,"data":{"channel":1,"channel":2}})"), "accepted");
}

TEST_F(BayeuxMessageTest, RefusesEveryMessageThatIsCutShort) {
  const std::string whole = R"([{"channel":"/a\n","data":{"x":[1,"\ud83d\ude00"]},"id":"1"}])";
  ASSERT_EQ(verdict(whole), "accepted");
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_NE(verdict(whole.substr(0, length)), "accepted") << length;
  }
}

TEST_F(BayeuxMessageTest, ForgetsTheLastRequestAtTheNext) {
  EXPECT_EQ(verdict(R"([{"channel":"/a"},{"channel":"/b"}])"), "accepted");
  EXPECT_EQ(verdict("[{"), "not valid JSON at byte 2: the text ends too early");
  EXPECT_EQ(read(R"([{"data":1}])").channel.given, Given::no);
}

TEST_F(BayeuxMessageTest, ReadsMoreNamesThanItsArenaHolds) {
  std::string list;
  for (int i = 0; i < 5000; ++i) list += (i == 0 ? "\"\\/" : ",\"\\/") + std::to_string(i) + "\"";
  const Message& message = read("{\"subscription\":[" + list + "]}");
  ASSERT_EQ(message.subscription.names.size(), 5000U);
  EXPECT_EQ(message.subscription.names[4999], "/4999");
}

}  // namespace
}  // namespace fanfare::wire::bayeux
