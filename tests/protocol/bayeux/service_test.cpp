#include "protocol/bayeux/service.hpp"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "protocol/bayeux/service_fixture.hpp"

namespace fanfare::protocol::bayeux {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class ServiceTest : public ServiceFixture {
 protected:
  static core::Realm cometd() {
    core::Realm realm;
    realm.dialect = core::Dialect::cometd;
    return realm;
  }
  static core::Realm open_realm() {
    core::Realm realm;
    realm.client_publish = true;
    return realm;
  }
  /// The one line of the answer to one message.
  std::string line(std::string_view message) {
    const auto lines = post(message)->lines();
    EXPECT_EQ(lines.size(), 1U) << message;
    return lines.empty() ? "" : lines.front();
  }
};

// ---- Any message

TEST_F(ServiceTest, AnswersAnEmptyArrayWithAnEmptyArray) {
  const CallPtr call = post("[]");
  EXPECT_EQ(call->answers, 1);
  EXPECT_EQ(call->text, "");
}

TEST_F(ServiceTest, AnswersEveryMessageOfARequestInItsOrder) {
  const std::string ann = new_session();
  const CallPtr call = post("[" + subscribe(ann, R"("/a")", "x") + "," +
                            subscribe(ann, R"("/b")", "y") + "," + connect(ann, "z") + "]");
  EXPECT_EQ(call->answers, 1);
  EXPECT_THAT(call->lines(),
              ElementsAre("x /meta/subscribe", "y /meta/subscribe", "z /meta/connect"));
}

TEST_F(ServiceTest, EchoesTheIdAsTheSameToken) {
  EXPECT_THAT(post(R"({"channel":"/x","id":7})")->text, HasSubstr(R"("id":7,)"));
  EXPECT_THAT(post(R"({"channel":"/x","id":"7"})")->text, HasSubstr(R"("id":"7",)"));
  EXPECT_THAT(post(R"({"channel":"/x","id":"\u0061"})")->text, HasSubstr(R"("id":"\u0061",)"));
  EXPECT_THAT(post(R"({"channel":"/x"})")->text, Not(HasSubstr(R"("id")")));
}

TEST_F(ServiceTest, RefusesIdsThatNobodyCouldPair) {
  for (const auto* id : {"null", "{}", "true"}) {
    EXPECT_EQ(line(fmt::format(R"({{"channel":"/x","id":{}}})", id)), "/x 400:id:Bad request");
  }
  EXPECT_EQ(line(R"({"channel":"/x","id":")" + std::string(65, 'i') + R"("})"),
            "/x 400:id:Bad request");
}

TEST_F(ServiceTest, EveryReplySaysWhetherItWentWellAndHoldsNoData) {
  const std::string ann = new_session();
  for (const std::string& message :
       {handshake(), connect(ann), subscribe(ann, R"("/a")"), unsubscribe(ann, R"("/a")"),
        std::string(R"({"channel":"/a","data":1})"), disconnect(ann), connect(ann)}) {
    const std::string text = post(message)->text;
    EXPECT_THAT(text, HasSubstr(R"("successful":)")) << message;
    EXPECT_THAT(text, Not(HasSubstr(R"("data")"))) << message;
  }
}

TEST_F(ServiceTest, RefusesMessagesWithoutAChannel) {
  EXPECT_EQ(line("{}"), " 405::Invalid channel");
  EXPECT_EQ(line(R"({"channel":5,"id":"1"})"), "1  405::Invalid channel");
}

TEST_F(ServiceTest, MetaChannelsMatchExactly) {
  const std::string ann = new_session();
  for (const auto* channel :
       {"/meta/subscribe/x", "/meta/Subscribe", "/meta/foo", "/meta", "/meta/", "/meta/handshake/",
        "/meta/connect\\u0000", "/meta/subscribe\\n"}) {
    const auto answer = line(fmt::format(
        R"({{"channel":"{}","clientId":"{}","subscription":"/a","data":1}})", channel, ann));
    EXPECT_THAT(answer, HasSubstr("403:")) << channel;
  }
  EXPECT_EQ(find(ann)->subscription_count(), 0U);
}

TEST_F(ServiceTest, RefusesARequestOfTooManyMessages) {
  core::Realm realm;
  realm.limits.batch_messages_max = 2;
  use(realm);
  EXPECT_TRUE(service().parse(*realm_, "[{},{}]"));
  const auto parsed = service().parse(*realm_, "[{},{},{}]");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, base::Errc::too_large);
  EXPECT_THAT(parsed.error().detail, HasSubstr("batch_messages_max"));
}

// ---- Handshake

TEST_F(ServiceTest, HandshakesAsFayeDoes) {
  const std::string text = post(handshake())->text;
  EXPECT_EQ(text, R"({"id":"1","channel":"/meta/handshake","successful":true,"version":"1.0",)"
                  R"("supportedConnectionTypes":["long-polling","cross-origin-long-polling",)"
                  R"("callback-polling","websocket","eventsource","in-process"],"clientId":")" +
                      client_id_in(text) +
                      R"(","advice":{"reconnect":"retry","interval":0,"timeout":30000}})");
  EXPECT_EQ(service().session_count(), 1U);
}

TEST_F(ServiceTest, EveryHandshakeMakesASessionOfItsOwn) {
  std::set<std::string> ids;
  for (int i = 0; i < 5; ++i) ids.insert(new_session());
  EXPECT_EQ(ids.size(), 5U);
  EXPECT_EQ(service().session_count(), 5U);
}

TEST_F(ServiceTest, WantsAllOfAHandshakeFromFaye) {
  const std::string_view no_version =
      R"({"channel":"/meta/handshake","supportedConnectionTypes":["long-polling"]})";
  const std::string_view no_types = R"({"channel":"/meta/handshake","version":"1.0"})";
  EXPECT_EQ(line(no_version), "/meta/handshake 402:version:Missing required parameter");
  EXPECT_EQ(line(no_types),
            "/meta/handshake 402:supportedConnectionTypes:Missing required parameter");
  use(cometd());
  EXPECT_EQ(line(no_version), "/meta/handshake");
  EXPECT_EQ(line(no_types), "/meta/handshake");
}

TEST_F(ServiceTest, AClientWithoutACommonTransportIsToldToGiveUp) {
  const CallPtr call = post(
      R"({"channel":"/meta/handshake","version":"1.0","supportedConnectionTypes":["flash","pigeon"]})");
  EXPECT_THAT(call->lines(),
              ElementsAre("/meta/handshake 301:flash,pigeon:Connection types not supported"));
  EXPECT_THAT(call->text, HasSubstr(R"("reconnect":"none")"));
  EXPECT_THAT(call->text, HasSubstr(R"("supportedConnectionTypes":["long-polling")"));
  EXPECT_THAT(call->text, Not(HasSubstr("clientId")));
  EXPECT_EQ(service().session_count(), 0U);
}

/// Rule R10: with any advice, Faye's client would come back some seventy times a second.
TEST_F(ServiceTest, AHandshakeThatFindsNoRoomCarriesNoAdvice) {
  core::Realm realm;
  realm.limits.sessions_max = 2;
  use(realm);
  connected_session();
  const std::string second = connected_session();
  const CallPtr third = post(handshake());
  EXPECT_THAT(third->text, HasSubstr("sessions_max"));
  EXPECT_THAT(third->text, Not(HasSubstr("advice")));
  post(disconnect(second));
  EXPECT_EQ(post(handshake())->lines(), std::vector<std::string>{"1 /meta/handshake"});
}

TEST_F(ServiceTest, OneAddressCannotTakeAllSessions) {
  core::Realm realm;
  realm.limits.sessions_per_address_max = 2;
  use(realm);
  const std::string first = connected_session();
  connected_session();
  EXPECT_THAT(post(handshake())->text, HasSubstr("sessions_per_address_max"));
  CallPtr neighbour(new FakeCall);
  neighbour->network = "192.0.2.77";
  handle(handshake(), *neighbour);
  EXPECT_THAT(neighbour->lines(), ElementsAre("1 /meta/handshake"));
  post(disconnect(first));
  connected_session();
  EXPECT_THAT(post(handshake())->text, HasSubstr("sessions_per_address_max"));
}

/// A hundred requests of a thousand handshakes each, behind a proxy, locked out all visitors.
TEST_F(ServiceTest, SessionsThatNeverConnectedMakeRoomForThoseWhoCome) {
  core::Realm realm;
  realm.limits.sessions_per_address_max = 3;
  use(realm);
  const std::string ann = listening_session();
  std::vector<std::string> all;
  for (int i = 0; i < 20; ++i) {
    advance(base::Duration(2'000));
    all.push_back(new_session());
  }
  EXPECT_NE(find(ann), nullptr);
  EXPECT_EQ(service().session_count(), 3U);
  EXPECT_NE(find(all.back()), nullptr) << "the oldest goes first";
  EXPECT_EQ(find(all.front()), nullptr);
  new_session();
  EXPECT_THAT(post(handshake())->text, HasSubstr("sessions_per_address_max"))
      << "who has just shaken hands is about to connect";
}

TEST_F(ServiceTest, OneHandshakeARequestIsEnough) {
  const CallPtr call = post("[" + handshake() + "," + handshake() + "," + handshake() + "]");
  EXPECT_THAT(call->lines(),
              ElementsAre("1 /meta/handshake", "1 /meta/handshake 413::one handshake a request",
                          "1 /meta/handshake 413::one handshake a request"));
  EXPECT_EQ(service().session_count(), 1U);
}

TEST_F(ServiceTest, OneSocketIsNotForAnyNumberOfSessions) {
  core::Realm realm;
  realm.limits.connection_sessions_max = 2;
  use(realm);
  FakeSocket socket;
  for (int i = 0; i < 2; ++i) send(socket, connect(connected_session()));
  socket.take_lines();
  const std::string third = connected_session();
  send(socket, connect(third));
  EXPECT_THAT(socket.take_lines(), ElementsAre(HasSubstr("connection_sessions_max is 2")));
  EXPECT_FALSE(find(third)->has_outlet());
  EXPECT_EQ(socket.session_count(), 2U);
}

// ---- Work

/// An array of messages with so much to do that it takes several turns.
class LongArrayTest : public ServiceTest {
 protected:
  std::string names(int from, int count) {
    std::string names;
    for (int i = from; i < from + count; ++i)
      names += fmt::format("{}\"/c{}\"", names.empty() ? "" : ",", i);
    return "[" + names + "]";
  }
  /// A session that listens to a thousand channels.
  std::string busy_session() {
    const std::string client = connected_session();
    for (int i = 0; i < 10; ++i) post(subscribe(client, names(100 * i, 100)));
    end_turn();
    return client;
  }
  std::string many(const std::string& message, int count) {
    std::string array = "[" + message;
    for (int i = 1; i < count; ++i) array += "," + message;
    return array + "]";
  }
  /// Ends turns until the call is answered; returns the longest.
  base::Work longest_turn(const FakeCall& call) {
    base::Work longest = service().turn().spent();
    for (int turns = 0; call.answers == 0 && turns < 1000; ++turns) {
      office_.end_turn();
      longest = std::max(longest, service().turn().spent());
    }
    return longest;
  }
};

TEST_F(LongArrayTest, TakesSeveralTurnsAndOthersHaveTheirs) {
  const std::string ann = busy_session();
  const CallPtr call = post(many(subscribe(ann, names(900, 100)), 1000));
  EXPECT_EQ(call->answers, 0);
  EXPECT_EQ(post(handshake())->answers, 1) << "a neighbour is answered meanwhile";
  EXPECT_LT(longest_turn(*call), 12'000'000U);
  EXPECT_EQ(call->lines(), std::vector<std::string>(1000, "3 /meta/subscribe"));
}

TEST_F(LongArrayTest, IsAnsweredInItsOrderThoughOthersAreReadMeanwhile) {
  const std::string ann = busy_session();
  const std::string storm = unsubscribe(ann, names(0, 100)) + "," + subscribe(ann, names(0, 100));
  const CallPtr call = post(many(storm, 500));
  const std::string bob = connected_session();
  post(subscribe(bob, R"("/somewhere/else")"));
  longest_turn(*call);
  std::vector<std::string> expected;
  for (int i = 0; i < 500; ++i) {
    expected.emplace_back("4 /meta/unsubscribe");
    expected.emplace_back("3 /meta/subscribe");
  }
  EXPECT_EQ(call->lines(), expected);
  EXPECT_EQ(find(ann)->subscription_count(), 1000U);
  EXPECT_EQ(find(bob)->subscription_count(), 1U);
}

TEST_F(LongArrayTest, IsForgottenWhenTheServiceIsCleared) {
  const std::string ann = busy_session();
  const CallPtr call = post(many(subscribe(ann, names(900, 100)), 1000));
  service().clear();
  end_turn();
  EXPECT_EQ(call->answers, 0);
}

/// 643 bytes made the server build an answer of 1.4 GB: each connect of the array took back what
/// the one before had sent, and sent it again.
TEST_F(ServiceTest, AnArrayOfConnectsBringsWhatWaitsOnce) {
  const std::string ann = client_id_in(post(handshake(R"(,"ext":{"ack":true})"))->text);
  post(connect(ann));
  post(subscribe(ann, R"("/a")"));
  for (int i = 0; i < 8; ++i) publish_now("/a", '"' + std::string(60'000, 'x') + '"');
  std::string array = "[" + connect(ann, "2", kNow);
  for (int i = 1; i < 1000; ++i) array += "," + connect(ann, "2", kNow);
  const CallPtr call = post(array + "]");
  end_turn();
  EXPECT_EQ(call->answers, 1);
  EXPECT_LT(call->text.size(), 1'000'000U);
  const CallPtr again = post(connect(ann, "3", kNow));
  EXPECT_EQ(again->lines().size(), 9U) << "it was never acknowledged";
}

TEST_F(ServiceTest, SessionsThatExpireMakeRoomForTheirAddress) {
  core::Realm realm;
  realm.limits.sessions_per_address_max = 1;
  use(realm);
  new_session();
  advance(realm_->bayeux.session_timeout() + base::TimerWheel::kTick);
  EXPECT_THAT(post(handshake())->lines(), ElementsAre("1 /meta/handshake"));
}

TEST_F(ServiceTest, AHandshakeInCompanyIsCarriedOutAndTheOthersGoOn) {
  const CallPtr call = post("[" + handshake() + "," + subscribe("nobody", R"("/a")") + "]");
  EXPECT_THAT(call->lines(),
              ElementsAre("1 /meta/handshake", "3 /meta/subscribe 401:nobody:Unknown client"));
}

// ---- Sessions that are not known

TEST_F(ServiceTest, AnUnknownSessionIsToldToHandshakeOnConnectAndNowhereElse) {
  const CallPtr call = post(connect("nobody"));
  EXPECT_EQ(call->text, R"({"id":"2","channel":"/meta/connect","successful":false,)"
                        R"("advice":{"reconnect":"handshake","interval":0},)"
                        R"("error":"401:nobody:Unknown client"})");
  for (const auto& message :
       {subscribe("nobody", R"("/a")"), unsubscribe("nobody", R"("/a")"), disconnect("nobody")}) {
    EXPECT_THAT(post(message)->text, HasSubstr("401:nobody:Unknown client"));
    EXPECT_THAT(post(message)->text, Not(HasSubstr("advice")));
  }
}

TEST_F(ServiceTest, SaysUnknownInCometdsWords) {
  use(cometd());
  EXPECT_EQ(line(connect("nobody")), "2 /meta/connect 402::session_unknown");
}

TEST_F(ServiceTest, RefusesMetaMessagesWithoutAClientId) {
  for (const auto* channel :
       {"/meta/connect", "/meta/subscribe", "/meta/unsubscribe", "/meta/disconnect"}) {
    EXPECT_EQ(line(fmt::format(R"({{"channel":"{}"}})", channel)),
              std::string(channel) + " 402:clientId:Missing required parameter");
  }
}

TEST_F(ServiceTest, ASessionOfOneRealmIsUnknownInAnother) {
  const std::string ann = listening_session();
  core::Realm other;
  other.id = core::RealmId("other");
  const auto elsewhere = std::make_shared<const core::Realm>(other);
  for (const auto& message : {connect(ann), subscribe(ann, R"("/b")"), disconnect(ann)}) {
    const CallPtr call(new FakeCall);
    service().handle(elsewhere, *service().parse(*elsewhere, message), call);
    EXPECT_THAT(call->text, HasSubstr("Unknown client"));
  }
  EXPECT_EQ(find(ann)->subscription_count(), 1U);
}

// ---- Subscribe and unsubscribe

TEST_F(ServiceTest, SubscribesAndEchoesTheShape) {
  const std::string ann = new_session();
  EXPECT_EQ(post(subscribe(ann, R"("/foo/*")"))->text,
            R"({"id":"3","clientId":")" + ann +
                R"(","channel":"/meta/subscribe","successful":true,"subscription":"/foo/*"})");
  EXPECT_THAT(post(subscribe(ann, R"(["/a", "/b"])"))->text,
              HasSubstr(R"("subscription":["/a", "/b"])"));
  EXPECT_THAT(post(subscribe(ann, R"([])"))->text, HasSubstr(R"("successful":true)"));
  EXPECT_THAT(post(unsubscribe(ann, R"(["/a", "/b"])"))->text,
              HasSubstr(R"("subscription":["/a", "/b"])"));
  EXPECT_EQ(find(ann)->subscription_count(), 1U);
}

TEST_F(ServiceTest, SubscribesToAllOrToNone) {
  const std::string ann = new_session();
  const CallPtr call = post(subscribe(ann, R"(["/a","/meta/x","/b"])"));
  EXPECT_THAT(call->lines(), ElementsAre("3 /meta/subscribe 403:/meta/x:Forbidden channel"));
  EXPECT_THAT(call->text, HasSubstr(R"("subscription":["/a","/meta/x","/b"])"));
  EXPECT_THAT(call->text, Not(HasSubstr("advice")));
  EXPECT_EQ(find(ann)->subscription_count(), 0U);
}

TEST_F(ServiceTest, UnsubscribesFromAllOrFromNone) {
  const std::string ann = listening_session(R"(["/a","/b"])");
  EXPECT_EQ(line(unsubscribe(ann, R"(["/a","/a b"])")),
            "4 /meta/unsubscribe 405:/a b:Invalid channel");
  EXPECT_EQ(find(ann)->subscription_count(), 2U);
  post(unsubscribe(ann, R"(["/a","/never"])"));
  EXPECT_EQ(find(ann)->subscription_count(), 1U);
  publish_now("/a", "1");
  publish_now("/b", "2");
  EXPECT_THAT(post(connect(ann))->lines(), ElementsAre("2 /meta/connect", "/b:2"));
}

TEST_F(ServiceTest, SubscribingTwiceChangesNothing) {
  const std::string ann = listening_session(R"(["/a","/a"])");
  post(subscribe(ann, R"("/a")"));
  EXPECT_EQ(find(ann)->subscription_count(), 1U);
  publish_now("/a", "1");
  EXPECT_THAT(post(connect(ann))->lines(), ElementsAre("2 /meta/connect", "/a:1"));
}

TEST_F(ServiceTest, NobodyListensToMetaChannels) {
  const std::string ann = new_session();
  for (const auto* channel : {"/meta", "/meta/*", "/meta/**", "/meta/connect", "/meta/x/y"}) {
    EXPECT_THAT(line(subscribe(ann, fmt::format(R"("{}")", channel))), HasSubstr("403:"))
        << channel;
  }
  EXPECT_EQ(line(subscribe(ann, R"("/metal")")), "3 /meta/subscribe");
}

TEST_F(ServiceTest, SubscribingToAServiceSucceedsAndIsNotRecorded) {
  const std::string ann = new_session();
  for (const auto* channel : {"/service", "/service/x", "/service/*", "/service/**"}) {
    EXPECT_EQ(line(subscribe(ann, fmt::format(R"("{}")", channel))), "3 /meta/subscribe");
    EXPECT_EQ(line(unsubscribe(ann, fmt::format(R"("{}")", channel))), "4 /meta/unsubscribe");
  }
  EXPECT_EQ(find(ann)->subscription_count(), 0U);
}

TEST_F(ServiceTest, RefusesChannelsThatAreNone) {
  const std::string ann = new_session();
  for (const auto* channel : {"", "/", "a", "/a/*/b", "/a b", "/a/", "//"}) {
    EXPECT_EQ(line(subscribe(ann, fmt::format(R"("{}")", channel))),
              fmt::format("3 /meta/subscribe 405:{}:Invalid channel", channel));
  }
  EXPECT_THAT(line(subscribe(ann, "5")), HasSubstr("405:5:Invalid channel"));
  EXPECT_THAT(line(subscribe(ann, R"(["/a",1])")), HasSubstr("Invalid channel"));
  EXPECT_THAT(line(fmt::format(R"({{"channel":"/meta/subscribe","clientId":"{}"}})", ann)),
              HasSubstr("402:subscription:Missing required parameter"));
}

TEST_F(ServiceTest, SubscriptionsHaveLimits) {
  core::Realm realm;
  realm.limits.subscribe_channels_max = 3;
  realm.limits.session_subscriptions_max = 4;
  use(realm);
  const std::string ann = new_session();
  EXPECT_THAT(line(subscribe(ann, R"(["/1","/2","/3","/4"])")),
              HasSubstr("subscribe_channels_max"));
  EXPECT_EQ(line(subscribe(ann, R"(["/1","/2","/3"])")), "3 /meta/subscribe");
  EXPECT_THAT(line(subscribe(ann, R"(["/4","/5"])")), HasSubstr("session_subscriptions_max"));
  EXPECT_EQ(line(subscribe(ann, R"(["/1","/4","/4"])")), "3 /meta/subscribe");
  EXPECT_EQ(find(ann)->subscription_count(), 4U);
  post(unsubscribe(ann, R"("/1")"));
  EXPECT_EQ(line(subscribe(ann, R"("/5")")), "3 /meta/subscribe");
}

TEST_F(ServiceTest, UnsubscribingHasTheSameLimitAsSubscribing) {
  core::Realm realm;
  realm.limits.subscribe_channels_max = 3;
  use(realm);
  const std::string ann = new_session();
  EXPECT_THAT(line(unsubscribe(ann, R"(["/1","/2","/3","/4"])")),
              HasSubstr("subscribe_channels_max"));
}

TEST_F(ServiceTest, AConnectThatFailsSaysToShakeHands) {
  const std::string ann = new_session();
  for (const std::string& message :
       {std::string(R"({"channel":"/meta/connect","connectionType":"long-polling","id":"1"})"),
        R"({"channel":"/meta/connect","clientId":")" + ann + R"(","id":"1"})",
        R"({"channel":"/meta/connect","connectionType":"pigeon","clientId":")" + ann + R"("})"}) {
    EXPECT_THAT(post(message)->text, HasSubstr(R"("reconnect":"handshake")")) << message;
  }
}

// ---- Publish

TEST_F(ServiceTest, BrowsersMayNotPublishUnlessTheRealmSaysSo) {
  const std::string_view publish_message = R"({"channel":"/a","data":1,"id":"5"})";
  EXPECT_EQ(line(publish_message), "5 /a 403:/a:Forbidden channel");
  use(open_realm());
  EXPECT_EQ(line(publish_message), "5 /a");
}

TEST_F(ServiceTest, AnyoneMayPublishOnPublicChannelsWhereTheRealmSaysSo) {
  core::Realm realm;
  realm.anonymous_publish = true;
  use(realm);
  EXPECT_EQ(line(R"({"channel":"/!a","data":1})"), "/!a");
  EXPECT_EQ(line(R"({"channel":"/a","data":1})"), "/a 403:/a:Forbidden channel");
  EXPECT_EQ(line(R"({"channel":"/a/!b","data":1})"), "/a/!b 403:/a/!b:Forbidden channel");
}

TEST_F(ServiceTest, PublishesWhatCameAndItsExtAndNothingElseAroundIt) {
  use(open_realm());
  const std::string ann = listening_session();
  const CallPtr poll = post(connect(ann));
  const CallPtr published = post(
      fmt::format(R"({{"channel":"/a","data":{{"n":12345678901234567890, "s":"\u00e9"}},"id":"5",)"
                  R"("clientId":"{}","ext":{{"binary":{{}}}},"advice":{{}},"timestamp":"now"}})",
                  ann));
  EXPECT_EQ(published->text,
            R"({"id":"5","clientId":")" + ann + R"(","channel":"/a","successful":true})");
  end_turn();
  EXPECT_THAT(
      poll->text,
      testing::EndsWith(
          R"(,{"channel":"/a","data":{"n":12345678901234567890, "s":"\u00e9"},"ext":{"binary":{}}})"));
}

TEST_F(ServiceTest, CountsTheExtOfAPublishTowardsItsSize) {
  core::Realm realm = open_realm();
  realm.limits.message_bytes_max = 20;
  use(realm);
  EXPECT_EQ(line(R"({"channel":"/a","data":"0123456789"})"), "/a");
  EXPECT_THAT(line(R"({"channel":"/a","data":"0123456789","ext":{"a":"0123456789"}})"),
              testing::StartsWith("/a 413:"));
}

TEST_F(ServiceTest, RefusesPatternsWhereTheRealmWantsNamesToBeKnown) {
  core::Realm realm;
  realm.pattern_subscribe = false;
  use(realm);
  const std::string ann = listening_session();
  for (const std::string pattern : {"/**", "/*", "/a/*", "/a/**"}) {
    EXPECT_THAT(line(subscribe(ann, '"' + pattern + '"')),
                testing::HasSubstr("403:" + pattern + ":"))
        << pattern;
  }
  EXPECT_THAT(line(subscribe(ann, R"("/b")")), testing::Not(testing::HasSubstr("403")));
}

TEST_F(ServiceTest, KeepsNullApartFromNothing) {
  use(open_realm());
  EXPECT_EQ(line(R"({"channel":"/a","data":null})"), "/a");
  EXPECT_EQ(line(R"({"channel":"/a"})"), "/a 402:data:Missing required parameter");
}

TEST_F(ServiceTest, NobodyPublishesToPatternsOrMetaChannels) {
  use(open_realm());
  EXPECT_EQ(line(R"({"channel":"/a/*","data":1})"), "/a/* 405:/a/*:Invalid channel");
  EXPECT_EQ(line(R"({"channel":"/**","data":1})"), "/** 405:/**:Invalid channel");
  EXPECT_EQ(line(R"({"channel":"/meta/foo","data":1})"),
            "/meta/foo 403:/meta/foo:Forbidden channel");
}

TEST_F(ServiceTest, WhatIsSentToAServiceFansOutToNobody) {
  use(open_realm());
  const std::string ann = listening_session(R"(["/**","/service/*"])");
  EXPECT_EQ(line(R"({"channel":"/service/x","data":1})"), "/service/x");
  end_turn();
  EXPECT_FALSE(find(ann)->has_waiting());
}

TEST_F(ServiceTest, AnUnknownPublisherIsAnonymousForFayeAndRefusedForCometd) {
  use(open_realm());
  EXPECT_EQ(line(R"({"channel":"/a","data":1,"clientId":"nobody"})"), "/a");
  core::Realm realm = cometd();
  realm.client_publish = true;
  use(realm);
  EXPECT_EQ(line(R"({"channel":"/a","data":1,"clientId":"nobody"})"), "/a 402::session_unknown");
  EXPECT_EQ(line(R"({"channel":"/a","data":1})"), "/a 402::session_unknown");
}

TEST_F(ServiceTest, RefusesDataAboveTheLimit) {
  core::Realm realm = open_realm();
  realm.limits.message_bytes_max = 4;
  use(realm);
  EXPECT_EQ(line(R"({"channel":"/a","data":1234})"), "/a");
  EXPECT_THAT(line(R"({"channel":"/a","data":12345})"), HasSubstr("413:/a:"));
}

TEST_F(ServiceTest, APublisherHearsItself) {
  use(open_realm());
  const std::string ann = listening_session();
  post(fmt::format(R"({{"channel":"/a","data":1,"clientId":"{}"}})", ann));
  EXPECT_THAT(post(connect(ann))->lines(), ElementsAre("2 /meta/connect", "/a:1"));
}

TEST_F(ServiceTest, TheEffectsOfAMessageAreThereForTheNextOne) {
  use(open_realm());
  const std::string ann = new_session();
  post(connect(ann));
  const CallPtr call =
      post("[" + subscribe(ann, R"("/a")") + R"(,{"channel":"/a","data":1},)" +
           unsubscribe(ann, R"("/a")") + R"(,{"channel":"/a","data":2},)" + connect(ann) + "]");
  EXPECT_THAT(call->lines(), ElementsAre("3 /meta/subscribe", "/a", "4 /meta/unsubscribe", "/a",
                                         "2 /meta/connect", "/a:1"));
}

// ---- Disconnect

TEST_F(ServiceTest, DisconnectEndsTheSession) {
  const std::string ann = listening_session();
  EXPECT_EQ(
      post(disconnect(ann))->text,
      R"({"id":"9","clientId":")" + ann + R"(","channel":"/meta/disconnect","successful":true})");
  EXPECT_EQ(find(ann), nullptr);
  EXPECT_EQ(service().session_count(), 0U);
  EXPECT_TRUE(office_[0].hub(realm_).is_empty());
  EXPECT_THAT(post(disconnect(ann))->text, HasSubstr("Unknown client"));
}

TEST_F(ServiceTest, DisconnectReleasesTheHeldConnectFirstAndForGood) {
  const std::string ann = listening_session();
  const CallPtr poll = post(connect(ann));
  ASSERT_TRUE(poll->is_held());
  post(disconnect(ann));
  EXPECT_THAT(poll->lines(), ElementsAre("2 /meta/connect"));
  EXPECT_THAT(poll->text, HasSubstr(R"("successful":true)"));
  EXPECT_THAT(poll->text, HasSubstr(R"("reconnect":"none")"));
}

TEST_F(ServiceTest, DisconnectOnASocketAnswersTheConnectThereBeforeItself) {
  const std::string ann = listening_session();
  FakeSocket socket;
  send(socket, connect(ann, "c"));
  send(socket, disconnect(ann, "d"));
  EXPECT_THAT(socket.take_lines(), ElementsAre("c /meta/connect", "d /meta/disconnect"));
  EXPECT_THAT(socket.ended, ElementsAre("disconnected"));
  EXPECT_FALSE(socket.has_sessions());
}

TEST_F(ServiceTest, DisconnectInTheMiddleOfARequestMakesTheRestUnknown) {
  const std::string ann = listening_session();
  const CallPtr call =
      post("[" + disconnect(ann) + "," + subscribe(ann, R"("/b")") + "," + connect(ann) + "]");
  EXPECT_THAT(
      call->lines(),
      ElementsAre("9 /meta/disconnect", fmt::format("3 /meta/subscribe 401:{}:Unknown client", ann),
                  fmt::format("2 /meta/connect 401:{}:Unknown client", ann)));
}

TEST_F(ServiceTest, AConnectAndADisconnectOfTheSameRequestDoNotTrip) {
  const std::string ann = listening_session();
  const CallPtr call = post("[" + connect(ann) + "," + disconnect(ann) + "]");
  EXPECT_EQ(call->answers, 1);
  EXPECT_THAT(call->lines(), ElementsAre("2 /meta/connect", "9 /meta/disconnect"));
}

TEST_F(ServiceTest, WhatWasPublishedInTheTurnOfADisconnectIsForgotten) {
  const std::string ann = listening_session();
  publish("/a", "1");
  post(disconnect(ann));
  end_turn();
  EXPECT_EQ(service().session_count(), 0U);
}

// ---- Several workers

class TwoWorkersTest : public ServiceFixture {
 protected:
  TwoWorkersTest() : ServiceFixture(2) {}
  /// A channel whose home is worker 1. (Which that is differs from run to run: the hash is keyed.)
  std::string far_channel() { return channel_at(1); }
  std::string near_channel() { return channel_at(0); }

 private:
  std::string channel_at(std::size_t home) {
    for (int i = 0;; ++i) {
      const std::string channel = "/c" + std::to_string(i);
      publish(channel, "1");
      const bool is_far = !office_.is_idle();
      office_.carry_all();
      if (is_far == (home == 1)) return channel;
    }
  }
};

TEST_F(TwoWorkersTest, FindsTheWorkerOfASession) {
  const std::string here = new_session(0);
  const std::string there = new_session(1);
  const auto elsewhere = [this](std::string_view text) {
    const auto worker = service(0).elsewhere(*service(0).parse(*realm_, text));
    return worker ? static_cast<int>(worker->value()) : -1;
  };
  EXPECT_EQ(elsewhere(connect(here)), -1);
  EXPECT_EQ(elsewhere(connect(there)), 1);
  EXPECT_EQ(elsewhere("[" + handshake() + "," + connect(there) + "]"), 1);
  EXPECT_EQ(elsewhere("[" + connect(here) + "," + connect(there) + "]"), -1);
  EXPECT_EQ(elsewhere(connect("nobody")), -1);
  // A worker that this server does not have: a client of a bigger one, before it was restarted.
  EXPECT_EQ(elsewhere(connect("05" + std::string(26, '0'))), -1);
  EXPECT_THAT(post(connect("05" + std::string(26, '0')))->text, HasSubstr("Unknown client"));
}

TEST_F(TwoWorkersTest, AnswersASubscribeWhenTheHomeKnows) {
  const std::string channel = far_channel();
  const std::string ann = new_session();
  post(connect(ann));
  const CallPtr call = post("[" + subscribe(ann, '"' + channel + '"') + "," + connect(ann) + "]");
  EXPECT_EQ(call->answers, 0);
  office_.carry_all();
  EXPECT_THAT(call->lines(), ElementsAre("3 /meta/subscribe", "2 /meta/connect"));
  publish(channel, "1", 1);
  office_.carry_all();
  end_turn();
  EXPECT_THAT(post(connect(ann))->lines(), ElementsAre("2 /meta/connect", channel + ":1"));
}

TEST_F(TwoWorkersTest, ASessionThatEndsWhileItsSubscribeIsOnItsWayHarmsNobody) {
  const std::string channel = far_channel();
  const std::string ann = new_session();
  post(connect(ann));
  const CallPtr call = post("[" + subscribe(ann, '"' + channel + '"') + "," + connect(ann) + "]");
  post(disconnect(ann));
  office_.carry_all();
  EXPECT_EQ(call->answers, 1);
  EXPECT_FALSE(call->delivered.bundle);
  publish(channel, "1", 1);
  office_.carry_all();
  end_turn();
}

TEST_F(TwoWorkersTest, WhatCameWhileARequestWaitedLeavesWithItsAnswer) {
  const std::string channel = far_channel();
  const std::string near = near_channel();
  const std::string ann = listening_session(R"("/**")");
  const CallPtr call = post("[" + subscribe(ann, '"' + channel + '"') + "," + connect(ann) + "]");
  publish_now(near, "1");
  EXPECT_EQ(call->answers, 0);
  office_.carry_all();
  EXPECT_THAT(call->lines(), ElementsAre("3 /meta/subscribe", "2 /meta/connect", near + ":1"));
}

TEST_F(TwoWorkersTest, SessionsOnBothWorkersGetWhatEitherAccepts) {
  const std::string here = listening_session(R"("/a")", 0);
  const std::string there = listening_session(R"("/*")", 1);
  for (std::size_t worker = 0; worker < 2; ++worker) {
    publish("/a", std::to_string(worker), worker);
    office_.carry_all();
  }
  end_turn();
  EXPECT_THAT(post(connect(here), 0)->lines(), ElementsAre("2 /meta/connect", "/a:0", "/a:1"));
  EXPECT_THAT(post(connect(there), 1)->lines(), ElementsAre("2 /meta/connect", "/a:0", "/a:1"));
}

TEST_F(TwoWorkersTest, ASocketThatBreaksWhileItsFrameWaitsLosesNothing) {
  const std::string channel = far_channel();
  const std::string near = near_channel();
  const std::string ann = listening_session('"' + near + '"');
  FakeSocket socket;
  send(socket, subscribe(ann, '"' + channel + '"'));
  publish_now(near, "1");
  EXPECT_THAT(socket.take_lines(), ElementsAre(near + ":1"));
  socket.break_off();
  publish_now(near, "2");
  office_.carry_all();
  EXPECT_EQ(socket.answers, 1);
  EXPECT_THAT(post(connect(ann))->lines(), ElementsAre("2 /meta/connect", near + ":2"));
}

}  // namespace
}  // namespace fanfare::protocol::bayeux
