#include "wire/bayeux/reply.hpp"

#include <array>
#include <string>

#include <gtest/gtest.h>

#include "wire/json/json.hpp"

namespace fanfare::wire::bayeux {
namespace {

using namespace std::chrono_literals;

constexpr Advice kRetry{Reconnect::retry, 0ms, 60'000ms};

std::string written(const Reply& reply) {
  std::string out;
  append_reply(out, reply);
  EXPECT_TRUE(json::validate(out).has_value()) << out;
  return out;
}

// The exchanges of spec/bayeux section 3, byte for byte.

TEST(BayeuxReplyTest, AnswersAHandshakeAsFayeDoes) {
  constexpr std::array<std::string_view, 3> kTypes{"long-polling", "callback-polling", "websocket"};
  EXPECT_EQ(written({.id = "\"1\"",
                     .client_id = "0zf6v7",
                     .channel = "/meta/handshake",
                     .version = kVersion,
                     .supported_connection_types = kTypes,
                     .advice = kRetry}),
            R"({"id":"1","channel":"/meta/handshake","successful":true,"version":"1.0",)"
            R"("supportedConnectionTypes":["long-polling","callback-polling","websocket"],)"
            R"("clientId":"0zf6v7","advice":{"reconnect":"retry","interval":0,"timeout":60000}})");
}

TEST(BayeuxReplyTest, AnswersAConnectAsFayeDoes) {
  EXPECT_EQ(written({.id = "4", .client_id = "CID", .channel = "/meta/connect", .advice = kRetry}),
            R"({"id":4,"clientId":"CID","channel":"/meta/connect","successful":true,)"
            R"("advice":{"reconnect":"retry","interval":0,"timeout":60000}})");
}

TEST(BayeuxReplyTest, AnswersASubscribeInTheShapeOfItsQuestion) {
  EXPECT_EQ(written({.id = "\"3\"",
                     .client_id = "CID",
                     .channel = "/meta/subscribe",
                     .subscription = R"("/foo/*")"}),
            R"({"id":"3","clientId":"CID","channel":"/meta/subscribe","successful":true,)"
            R"("subscription":"/foo/*"})");
  EXPECT_EQ(written({.id = "\"13\"",
                     .client_id = "CID",
                     .channel = "/meta/subscribe",
                     .is_successful = false,
                     .subscription = R"(["/a","/meta/x","/b"])",
                     .error = "403:/meta/x:Forbidden channel"}),
            R"({"id":"13","clientId":"CID","channel":"/meta/subscribe","successful":false,)"
            R"("subscription":["/a","/meta/x","/b"],"error":"403:/meta/x:Forbidden channel"})");
}

TEST(BayeuxReplyTest, AcknowledgesAPublish) {
  EXPECT_EQ(written({.id = "\"5\"", .client_id = "CID", .channel = "/foo/bar"}),
            R"({"id":"5","clientId":"CID","channel":"/foo/bar","successful":true})");
}

TEST(BayeuxReplyTest, AnswersADisconnectAndKicks) {
  EXPECT_EQ(written({.id = "\"b\"", .client_id = "CID", .channel = "/meta/disconnect"}),
            R"({"id":"b","clientId":"CID","channel":"/meta/disconnect","successful":true})");
  EXPECT_EQ(written({.channel = "/meta/disconnect"}),
            R"({"channel":"/meta/disconnect","successful":true})");
}

TEST(BayeuxReplyTest, TellsAnUnknownSessionToHandshake) {
  EXPECT_EQ(written({.id = "\"a\"",
                     .channel = "/meta/connect",
                     .is_successful = false,
                     .advice = Advice{Reconnect::handshake, 0ms, {}},
                     .error = "401:CID:Unknown client"}),
            R"({"id":"a","channel":"/meta/connect","successful":false,)"
            R"("advice":{"reconnect":"handshake","interval":0},"error":"401:CID:Unknown client"})");
}

TEST(BayeuxReplyTest, ClosesABatchOfAcknowledgedDeliveries) {
  EXPECT_EQ(written({.id = "\"5\"", .channel = "/meta/connect", .ext = ack_ext(2)}),
            R"({"id":"5","channel":"/meta/connect","successful":true,"ext":{"ack":2}})");
}

TEST(BayeuxReplyTest, StopsAClientForGood) {
  EXPECT_EQ(written({.channel = "/meta/connect", .advice = Advice{Reconnect::none, {}, {}}}),
            R"({"channel":"/meta/connect","successful":true,"advice":{"reconnect":"none"}})");
}

TEST(BayeuxReplyTest, EscapesWhatPeersChose) {
  EXPECT_EQ(written({.client_id = "\"", .channel = "/a\"\n", .error = "401:\\\xFF:Unknown client"}),
            R"({"clientId":"\"","channel":"/a\"\u000a","successful":true,)"
            "\"error\":\"401:\\\\\xEF\xBF\xBD:Unknown client\"}");
}

TEST(BayeuxDeliveryTest, CarriesChannelAndDataAndNothingElse) {
  std::string out = "[";
  append_delivery(out, "/foo/bar", R"({"text":"hi"})");
  out += ',';
  append_delivery(out, "/a\"b", "null");
  EXPECT_EQ(out, R"([{"channel":"/foo/bar","data":{"text":"hi"}},{"channel":"/a\"b","data":null})");
}

}  // namespace
}  // namespace fanfare::wire::bayeux
