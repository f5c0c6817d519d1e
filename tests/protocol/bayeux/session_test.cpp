#include "protocol/bayeux/session.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "protocol/bayeux/service_fixture.hpp"

namespace fanfare::protocol::bayeux {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SessionTest : public ServiceFixture {
 protected:
  static constexpr base::Duration kHold{30'000};
  static constexpr base::Duration kExpiry{60'000};
  static constexpr base::Duration kTick = base::TimerWheel::kTick;
};

// ---- Connects that are answered at once, and those that are held

TEST_F(SessionTest, TheFirstConnectIsAnsweredAtOnce) {
  const std::string ann = new_session();
  const CallPtr first = post(connect(ann));
  EXPECT_EQ(first->text, R"({"id":"2","clientId":")" + ann +
                             R"(","channel":"/meta/connect","successful":true,)"
                             R"("advice":{"reconnect":"retry","interval":0,"timeout":30000}})");
  EXPECT_TRUE(post(connect(ann))->is_held());
}

TEST_F(SessionTest, AHeldConnectIsAnsweredJustBeforeItsTimeIsOver) {
  const std::string ann = listening_session();
  const CallPtr poll = post(connect(ann));
  advance(kHold - base::Duration(250));
  EXPECT_TRUE(poll->is_held());
  advance(base::Duration(200));
  EXPECT_THAT(poll->lines(), ElementsAre("2 /meta/connect"));
  EXPECT_EQ(poll->answers, 1);
}

TEST_F(SessionTest, TheClientMayAskForLessTimeButNotForMore) {
  const std::string ann = listening_session();
  EXPECT_THAT(post(connect(ann, "2", kNow))->lines(), ElementsAre("2 /meta/connect"));
  const CallPtr brief = post(connect(ann, "3", R"(,"advice":{"timeout":1000})"));
  advance(base::Duration(1000) + kTick);
  EXPECT_THAT(brief->lines(), ElementsAre("3 /meta/connect"));
  const CallPtr greedy = post(connect(ann, "4", R"(,"advice":{"timeout":9000000000000000000})"));
  advance(kHold + kTick);
  EXPECT_THAT(greedy->lines(), ElementsAre("4 /meta/connect"));
  const CallPtr strange = post(connect(ann, "5", R"(,"advice":{"timeout":-1})"));
  EXPECT_TRUE(strange->is_held());
}

TEST_F(SessionTest, AConnectThatSharesItsRequestIsNotHeld) {
  const std::string ann = listening_session();
  const CallPtr call = post("[" + subscribe(ann, R"("/b")") + "," + connect(ann) + "]");
  EXPECT_THAT(call->lines(), ElementsAre("3 /meta/subscribe", "2 /meta/connect"));
}

TEST_F(SessionTest, AConnectNeedsAConnectionTypeThatThereIs) {
  const std::string ann = listening_session();
  const std::string start = R"({"channel":"/meta/connect","clientId":")" + ann + '"';
  EXPECT_THAT(post(start + "}")->lines(),
              ElementsAre("/meta/connect 402:connectionType:Missing required parameter"));
  EXPECT_THAT(post(start + R"(,"connectionType":"pigeon"})")->lines(),
              ElementsAre("/meta/connect 301:pigeon:Connection types not supported"));
  for (const auto* type : {"long-polling", "cross-origin-long-polling", "callback-polling",
                           "websocket", "in-process"}) {
    EXPECT_TRUE(post(start + R"(,"connectionType":")" + type + R"("})")->is_held()) << type;
  }
}

TEST_F(SessionTest, AConnectThatIsRefusedLeavesTheHeldOneAlone) {
  const std::string ann = listening_session();
  const CallPtr poll = post(connect(ann));
  post(R"({"channel":"/meta/connect","clientId":")" + ann + R"(","connectionType":"pigeon"})");
  EXPECT_TRUE(poll->is_held());
}

TEST_F(SessionTest, OnAnEventStreamAConnectIsAHeartbeat) {
  const std::string ann = listening_session();
  const CallPtr beat = post(R"({"channel":"/meta/connect","clientId":")" + ann +
                            R"(","connectionType":"eventsource","id":"h"})");
  EXPECT_THAT(beat->lines(), ElementsAre("h /meta/connect"));
  EXPECT_THAT(beat->text,
              HasSubstr(R"("advice":{"reconnect":"retry","interval":30000,"timeout":0})"));
}

// ---- Where messages go

TEST_F(SessionTest, MessagesWakeAHeldConnectOnceATurn) {
  const std::string ann = listening_session();
  const CallPtr poll = post(connect(ann));
  publish("/a", "1");
  publish("/a", "2");
  EXPECT_TRUE(poll->is_held());
  end_turn();
  EXPECT_THAT(poll->lines(), ElementsAre("2 /meta/connect", "/a:1", "/a:2"));
}

TEST_F(SessionTest, MessagesBetweenPollsWaitForTheNext) {
  const std::string ann = listening_session();
  publish_now("/a", "1");
  publish_now("/a", "2");
  EXPECT_THAT(post(connect(ann))->lines(), ElementsAre("2 /meta/connect", "/a:1", "/a:2"));
  EXPECT_TRUE(post(connect(ann))->is_held());
}

TEST_F(SessionTest, MessagesBeforeTheFirstConnectLeaveWithIt) {
  const std::string ann = new_session();
  post(subscribe(ann, R"("/a")"));
  publish_now("/a", "1");
  EXPECT_THAT(post(connect(ann))->lines(), ElementsAre("2 /meta/connect", "/a:1"));
}

TEST_F(SessionTest, WhatIsPublishedInTheSameTurnAsAConnectLeavesWithIt) {
  const std::string ann = listening_session();
  publish("/a", "1");
  const CallPtr poll = post(connect(ann));
  EXPECT_THAT(poll->lines(), ElementsAre("2 /meta/connect", "/a:1"));
  end_turn();
  EXPECT_EQ(poll->answers, 1);
}

TEST_F(SessionTest, OverlappingPatternsBringAMessageOnce) {
  const std::string ann = listening_session(R"(["/a/b","/a/*","/a/**","/**"])");
  publish_now("/a/b", "1");
  publish_now("/a/b", "1");
  EXPECT_THAT(post(connect(ann))->lines(), ElementsAre("2 /meta/connect", "/a/b:1", "/a/b:1"));
}

TEST_F(SessionTest, DeliveriesCarryChannelAndDataOnly) {
  const std::string ann = listening_session();
  publish_now("/a", R"({"x":[1,2]})");
  EXPECT_THAT(post(connect(ann))->text,
              testing::EndsWith(R"(,{"channel":"/a","data":{"x":[1,2]}})"));
}

TEST_F(SessionTest, AnswersOtherThanToConnectsBringNoDeliveries) {
  const std::string ann = listening_session();
  publish_now("/a", "1");
  EXPECT_THAT(post(subscribe(ann, R"("/b")"))->lines(), ElementsAre("3 /meta/subscribe"));
  EXPECT_TRUE(find(ann)->has_waiting());
}

TEST_F(SessionTest, SessionsWithTheSameMessagesShareTheirBytes) {
  std::vector<CallPtr> polls;
  for (int i = 0; i < 3; ++i) polls.push_back(post(connect(listening_session())));
  publish("/a", "1");
  publish("/a", "2");
  end_turn();
  EXPECT_EQ(polls[0]->delivered.bundle, polls[1]->delivered.bundle);
  EXPECT_EQ(polls[0]->delivered.bundle, polls[2]->delivered.bundle);
}

TEST_F(SessionTest, SomeHundredsOfSessionsAreServedAndThenTheLoopLooksUp) {
  std::vector<CallPtr> polls;
  for (int i = 0; i < 600; ++i) polls.push_back(post(connect(listening_session())));
  const auto answered = [&polls] {
    return std::ranges::count_if(polls, [](const auto& poll) { return poll->answers == 1; });
  };
  publish("/a", "1");
  ASSERT_TRUE(office_.end_turn());
  EXPECT_LT(answered(), 600);
  EXPECT_GT(answered(), 100);
  end_turn();
  for (const auto& poll : polls) EXPECT_THAT(poll->lines(), ElementsAre("2 /meta/connect", "/a:1"));
}

TEST_F(SessionTest, WhatIsPublishedWhileDeliveriesLeaveReachesEveryoneInOrder) {
  std::vector<std::unique_ptr<FakeSocket>> sockets;
  for (int i = 0; i < 600; ++i) {
    sockets.push_back(std::make_unique<FakeSocket>());
    send(*sockets.back(), connect(listening_session()));
    sockets.back()->take_lines();
  }
  publish("/a", "1");
  office_.end_turn();
  publish("/a", "2");
  office_.end_turn();
  publish("/a", "3");
  end_turn();
  for (const auto& socket : sockets) {
    EXPECT_THAT(socket->take_lines(), ElementsAre("/a:1", "/a:2", "/a:3"));
  }
}

/// A session with a stream, and a channel so full that one publication is enough for a turn.
class CrowdedChannelTest : public ServiceFixture {
 protected:
  CrowdedChannelTest() {
    send(socket_, connect(listening_session()));
    socket_.take_lines();
    for (core::Recorder& one : crowd_) {
      held_.push_back(office_[0].subscribe(realm_, core::pattern("/a"), one, [] {}));
    }
  }

  FakeSocket socket_;
  std::vector<core::Recorder> crowd_{core::Intake::kOffersPerTurn};
  std::vector<core::Subscription> held_;
};

TEST_F(CrowdedChannelTest, PublicationsThatHadToWaitForEachOtherLeaveTogether) {
  for (const char* data : {"1", "2", "3"}) publish("/a", data);
  end_turn();
  EXPECT_EQ(socket_.frames.size(), 1U);
  EXPECT_THAT(socket_.take_lines(), ElementsAre("/a:1", "/a:2", "/a:3"));
}

TEST_F(CrowdedChannelTest, AStreamOfPublicationsDoesNotKeepTheFirstFromLeaving) {
  for (int i = 0; i < 100; ++i) publish("/a", "1");
  for (int turns = 0; turns < 50; ++turns) office_.end_turn();
  EXPECT_THAT(socket_.frames, testing::Not(IsEmpty()));
}

TEST_F(SessionTest, WhatIsTooMuchForOneAnswerIsSplitInOrder) {
  const std::string ann = listening_session();
  const std::string data = '"' + std::string(200'000, 'x');
  for (int i = 0; i < 6; ++i) publish("/a", data + std::to_string(i) + '"');
  end_turn();
  std::string seen;
  for (int polls = 0; polls < 3; ++polls) {
    const CallPtr poll = post(connect(ann));
    EXPECT_EQ(poll->answers, 1);
    EXPECT_LT(poll->text.size(), 700'000U);
    for (const auto& line : poll->lines()) {
      if (line.starts_with("/a:")) seen += line[line.size() - 2];
    }
  }
  EXPECT_EQ(seen, "012345");
  EXPECT_TRUE(post(connect(ann))->is_held());
}

TEST_F(SessionTest, OneMessageAboveTheSizeOfAnAnswerGoesAlone) {
  const std::string ann = listening_session();
  publish("/a", "1");
  publish("/a", '"' + std::string(600'000, 'x') + '"');
  publish("/a", "3");
  end_turn();
  EXPECT_EQ(post(connect(ann))->lines().size(), 2U);
  EXPECT_EQ(post(connect(ann))->lines().size(), 2U);
  EXPECT_THAT(post(connect(ann))->lines(), ElementsAre("2 /meta/connect", "/a:3"));
}

// ---- Polls whose peers go

TEST_F(SessionTest, AHeldPollThatIsLeftSwallowsNothing) {
  const std::string ann = listening_session();
  const CallPtr poll = post(connect(ann));
  poll->leave();
  publish_now("/a", "1");
  EXPECT_EQ(poll->answers, 0);
  EXPECT_THAT(post(connect(ann))->lines(), ElementsAre("2 /meta/connect", "/a:1"));
}

TEST_F(SessionTest, APollThatIsLeftInTheTurnOfAPublicationSwallowsNothing) {
  const std::string ann = listening_session();
  const CallPtr poll = post(connect(ann));
  publish("/a", "1");
  poll->leave();
  end_turn();
  EXPECT_THAT(post(connect(ann))->lines(), ElementsAre("2 /meta/connect", "/a:1"));
}

TEST_F(SessionTest, AnAnswerThatWasLostIsGivenAgainInFrontOfWhatCameSince) {
  const std::string ann = listening_session();
  const CallPtr poll = post(connect(ann));
  publish("/a", "1");
  publish("/a", "2");
  end_turn();
  publish_now("/a", "3");
  publish("/a", "4");
  lose(*poll);
  end_turn();
  EXPECT_THAT(post(connect(ann))->lines(),
              ElementsAre("2 /meta/connect", "/a:1", "/a:2", "/a:3", "/a:4"));
}

TEST_F(SessionTest, AnAnswerThatIsLostWhileTheNextPollIsHeldWakesIt) {
  const std::string ann = listening_session();
  const CallPtr poll = post(connect(ann));
  publish_now("/a", "1");
  const CallPtr next = post(connect(ann));
  ASSERT_TRUE(next->is_held());
  lose(*poll);
  end_turn();
  EXPECT_THAT(next->lines(), ElementsAre("2 /meta/connect", "/a:1"));
}

TEST_F(SessionTest, AnAnswerThatIsLostAfterTheSessionEndedIsForgotten) {
  const std::string ann = listening_session();
  const CallPtr poll = post(connect(ann));
  publish_now("/a", "1");
  post(disconnect(ann));
  lose(*poll);
  end_turn();
}

// ---- Newer connects

TEST_F(SessionTest, ANewerPollSupersedesTheOneThatIsHeld) {
  const std::string ann = listening_session();
  const CallPtr older = post(connect(ann, "1"));
  const CallPtr newer = post(connect(ann, "2"));
  EXPECT_TRUE(older->is_superseded);
  EXPECT_EQ(older->answers, 1);
  publish_now("/a", "1");
  EXPECT_THAT(newer->lines(), ElementsAre("2 /meta/connect", "/a:1"));
  EXPECT_EQ(older->text, "");
}

TEST_F(SessionTest, SupersedingLosesNothingOfTheSameTurn) {
  const std::string ann = listening_session();
  const CallPtr older = post(connect(ann, "1"));
  publish("/a", "1");
  const CallPtr newer = post(connect(ann, "2"));
  end_turn();
  EXPECT_TRUE(older->is_superseded);
  EXPECT_THAT(newer->lines(), ElementsAre("2 /meta/connect", "/a:1"));
}

TEST_F(SessionTest, AnImmediateConnectSupersedesToo) {
  const std::string ann = listening_session();
  const CallPtr older = post(connect(ann, "1"));
  EXPECT_THAT(post(connect(ann, "2", kNow))->lines(), ElementsAre("2 /meta/connect"));
  EXPECT_TRUE(older->is_superseded);
  publish_now("/a", "1");
  EXPECT_TRUE(find(ann)->has_waiting());
}

TEST_F(SessionTest, TwoConnectsInOneFrameAreBothAnswered) {
  const std::string ann = listening_session();
  FakeSocket socket;
  send(socket, "[" + connect(ann, "1") + "," + connect(ann, "2") + "]");
  EXPECT_THAT(socket.take_lines(), ElementsAre("1 /meta/connect"));
  advance(kHold + kTick);
  EXPECT_THAT(socket.take_lines(), ElementsAre("2 /meta/connect"));
}

// ---- Streams

TEST_F(SessionTest, AnyMessageBindsASocketThatThenGetsEverythingAtOnce) {
  const std::string ann = listening_session();
  FakeSocket socket;
  send(socket, subscribe(ann, R"("/b")"));
  publish_now("/a", "1");
  publish_now("/b", "2");
  EXPECT_THAT(socket.take_lines(), ElementsAre("3 /meta/subscribe", "/a:1", "/b:2"));
}

TEST_F(SessionTest, ASocketGetsWhatWaitedWhenItBinds) {
  const std::string ann = listening_session();
  publish_now("/a", "1");
  FakeSocket socket;
  send(socket, connect(ann));
  EXPECT_THAT(socket.take_lines(), ElementsAre("/a:1"));
}

TEST_F(SessionTest, OnASocketDeliveriesStandBeforeTheReplyToWhatCameAfterThem) {
  core::Realm realm;
  realm.client_publish = true;
  use(realm);
  const std::string ann = listening_session();
  FakeSocket socket;
  send(socket, R"({"channel":"/a","data":1,"id":"p","clientId":")" + ann + R"("})");
  EXPECT_THAT(socket.take_lines(), ElementsAre("/a:1", "p /a"));
}

TEST_F(SessionTest, OnASocketAHeldConnectOutlastsDeliveries) {
  const std::string ann = listening_session();
  FakeSocket socket;
  send(socket, connect(ann, "c"));
  publish_now("/a", "1");
  advance(kHold - base::Duration(250));
  EXPECT_THAT(socket.take_lines(), ElementsAre("/a:1"));
  advance(base::Duration(200));
  EXPECT_THAT(socket.take_lines(), ElementsAre("c /meta/connect"));
}

TEST_F(SessionTest, OneTurnIsOneFrame) {
  const std::string ann = listening_session();
  FakeSocket socket;
  send(socket, connect(ann, "c"));
  publish("/a", "1");
  publish("/a", "2");
  end_turn();
  EXPECT_EQ(socket.frames.size(), 1U);
  EXPECT_THAT(socket.take_lines(), ElementsAre("/a:1", "/a:2"));
}

TEST_F(SessionTest, ASocketHandshakesForItself) {
  FakeSocket socket;
  send(socket, handshake());
  const std::string ann = client_id_in(socket.frames.front());
  EXPECT_TRUE(find(ann)->has_outlet());
  send(socket, connect(ann, "c"));
  socket.take_lines();
  send(socket, subscribe(ann, R"("/a")"));
  publish_now("/a", "1");
  EXPECT_THAT(socket.take_lines(), ElementsAre("3 /meta/subscribe", "/a:1"));
}

TEST_F(SessionTest, TheNewestSocketGetsTheMessagesAndTheOlderStaysOpen) {
  const std::string ann = listening_session();
  FakeSocket older;
  FakeSocket newer;
  send(older, connect(ann, "1"));
  send(newer, connect(ann, "2"));
  publish_now("/a", "1");
  EXPECT_THAT(newer.take_lines(), ElementsAre("/a:1"));
  EXPECT_THAT(older.ended, IsEmpty());
  send(older, subscribe(ann, R"("/b")"));
  publish_now("/b", "2");
  EXPECT_THAT(newer.take_lines(), ElementsAre("2 /meta/connect"));
  EXPECT_THAT(older.take_lines(), testing::Contains("/b:2"));
}

TEST_F(SessionTest, WhatTheOldSocketHadNotWrittenComesDownTheNewOneInOrder) {
  const std::string ann = listening_session();
  FakeSocket older;
  FakeSocket newer;
  send(older, connect(ann, "1"));
  older.is_stalled = true;
  publish_now("/a", "1");
  publish_now("/a", "2");
  publish("/a", "3");
  send(newer, subscribe(ann, R"("/b")"));
  end_turn();
  EXPECT_THAT(newer.take_lines(), testing::IsSupersetOf({"/a:1", "/a:2", "/a:3"}));
  older.go_on();
  for (const auto& line : older.take_lines()) EXPECT_THAT(line, HasSubstr("/meta/connect"));
}

TEST_F(SessionTest, MessagesAfterASocketBrokeWaitForItsClient) {
  const std::string ann = listening_session();
  {
    FakeSocket socket;
    send(socket, connect(ann));
    socket.is_stalled = true;
    publish_now("/a", "1");
    socket.break_off();
    publish_now("/a", "2");
  }
  EXPECT_THAT(post(connect(ann))->lines(), ElementsAre("2 /meta/connect", "/a:1", "/a:2"));
}

TEST_F(SessionTest, ASocketThatBreaksInTheTurnOfAPublicationLosesNothing) {
  const std::string ann = listening_session();
  FakeSocket socket;
  send(socket, connect(ann));
  publish("/a", "1");
  socket.break_off();
  end_turn();
  EXPECT_THAT(post(connect(ann))->lines(), ElementsAre("2 /meta/connect", "/a:1"));
}

TEST_F(SessionTest, APollThatWillBeHeldDisplacesAHalfDeadSocket) {
  const std::string ann = listening_session();
  FakeSocket socket;
  send(socket, connect(ann, "ws"));
  socket.is_stalled = true;
  publish_now("/a", "1");
  const CallPtr poll = post(connect(ann, "lp"));
  end_turn();
  EXPECT_THAT(poll->lines(), ElementsAre("lp /meta/connect", "/a:1"));
  EXPECT_FALSE(find(ann)->has_outlet());
  // The old connect got its answer, as far as that is possible on a socket that does not write.
  socket.go_on();
  EXPECT_THAT(socket.take_lines(), ElementsAre("ws /meta/connect"));
}

TEST_F(SessionTest, AConnectThatIsAnsweredAtOnceDisplacesNothing) {
  const std::string ann = listening_session();
  FakeSocket socket;
  send(socket, connect(ann, "ws"));
  EXPECT_THAT(post(connect(ann, "lp", kNow))->lines(), ElementsAre("lp /meta/connect"));
  publish_now("/a", "1");
  EXPECT_THAT(socket.take_lines(), testing::Contains("/a:1"));
}

TEST_F(SessionTest, AnImmediateConnectDoesNotOvertakeTheSocket) {
  const std::string ann = listening_session();
  FakeSocket socket;
  send(socket, connect(ann, "ws"));
  socket.is_stalled = true;
  publish_now("/a", "1");
  publish("/a", "2");
  EXPECT_THAT(post(connect(ann, "lp", kNow))->lines(), ElementsAre("lp /meta/connect"));
  end_turn();
  socket.go_on();
  EXPECT_THAT(socket.take_lines(), testing::IsSupersetOf({"/a:1", "/a:2"}));
}

TEST_F(SessionTest, ASocketThatBindsWhileAPollIsHeldTakesTheMessagesAndThePollEnds) {
  const std::string ann = listening_session();
  const CallPtr poll = post(connect(ann, "lp"));
  FakeSocket socket;
  send(socket, subscribe(ann, R"("/b")"));
  publish_now("/a", "1");
  EXPECT_THAT(socket.take_lines(), testing::Contains("/a:1"));
  advance(kHold + kTick);
  EXPECT_EQ(poll->answers, 1);
  EXPECT_THAT(poll->lines(), ElementsAre("lp /meta/connect"));
}

TEST_F(SessionTest, AHeldPollUnderASocketDoesNotOvertakeItWhenItsTimeIsOver) {
  const std::string ann = listening_session();
  const CallPtr poll = post(connect(ann, "lp"));
  FakeSocket socket;
  send(socket, subscribe(ann, R"("/b")"));
  socket.is_stalled = true;
  publish_now("/a", "1");
  publish_now("/a", "2");
  publish("/a", "3");
  advance(kHold + kTick);
  EXPECT_THAT(poll->lines(), ElementsAre("lp /meta/connect"));
  socket.go_on();
  EXPECT_THAT(socket.take_lines(), ElementsAre("3 /meta/subscribe", "/a:1", "/a:2", "/a:3"));
}

TEST_F(SessionTest, AConnectOnASocketSupersedesAHeldPoll) {
  const std::string ann = listening_session();
  const CallPtr poll = post(connect(ann, "lp"));
  FakeSocket socket;
  send(socket, connect(ann, "ws"));
  EXPECT_EQ(poll->answers, 1);
  advance(kHold + kTick);
  EXPECT_THAT(socket.take_lines(), ElementsAre("ws /meta/connect"));
}

TEST_F(SessionTest, AHeldPollThatIsLeftUnderASocketChangesNothing) {
  const std::string ann = listening_session();
  const CallPtr poll = post(connect(ann, "lp"));
  FakeSocket socket;
  send(socket, subscribe(ann, R"("/b")"));
  poll->leave();
  publish_now("/a", "1");
  EXPECT_THAT(socket.take_lines(), testing::Contains("/a:1"));
  advance(2 * kExpiry);
  EXPECT_NE(find(ann), nullptr);
}

TEST_F(SessionTest, APollThatWillBeHeldTakesWhatAHalfDeadSocketKeepsBack) {
  const std::string ann = listening_session();
  FakeSocket socket;
  send(socket, connect(ann));
  socket.is_stalled = true;
  publish_now("/a", "1");
  publish_now("/a", "2");
  const CallPtr poll = post(connect(ann, "lp"));
  EXPECT_THAT(poll->lines(), ElementsAre("lp /meta/connect", "/a:1", "/a:2"));
  EXPECT_TRUE(post(connect(ann, "lp"))->is_held());
}

TEST_F(SessionTest, AClientThatShakesHandsAgainOnItsSocketGetsNothingTwice) {
  FakeSocket socket;
  send(socket, handshake());
  const std::string old = client_id_in(socket.frames.back());
  send(socket, subscribe(old, R"("/a")"));
  send(socket, connect(old, "c"));
  send(socket, connect(old, "held"));
  socket.take_lines();
  send(socket, handshake());
  const std::string client = client_id_in(socket.frames.back());
  EXPECT_THAT(socket.take_lines(), ElementsAre("held /meta/connect", "1 /meta/handshake"));
  send(socket, subscribe(client, R"("/a")"));
  socket.take_lines();
  publish_now("/a", "1");
  EXPECT_THAT(socket.take_lines(), ElementsAre("/a:1"));
  // The old one is not told, and ends as any session does whose client is silent.
  EXPECT_NE(find(old), nullptr);
  advance(std::chrono::seconds(61));
  EXPECT_EQ(find(old), nullptr);
}

TEST_F(SessionTest, ASlowConsumersHeldConnectSaysToBeginAnew) {
  core::Realm realm;
  realm.limits.queue_messages_max = 3;
  use(realm);
  const std::string ann = listening_session();
  FakeSocket socket;
  send(socket, connect(ann, "held"));
  socket.take_lines();
  send(socket, connect(ann, "held"));
  socket.is_stalled = true;
  for (int i = 0; i < 6; ++i) publish_now("/a", std::to_string(i));
  EXPECT_EQ(find(ann), nullptr);
  EXPECT_THAT(socket.ended, ElementsAre("slow consumer"));
  socket.go_on();
  EXPECT_THAT(socket.frames.back(),
              testing::AllOf(HasSubstr(R"("successful":false)"),
                             HasSubstr(R"("advice":{"reconnect":"handshake","interval":0})")));
}

TEST_F(SessionTest, AnEventStreamsConnectTakesWhatWaitsWhereThereIsNoStream) {
  const std::string ann = listening_session();
  publish_now("/a", "1");
  const CallPtr beat = post(R"({"channel":"/meta/connect","clientId":")" + ann +
                            R"(","connectionType":"eventsource","id":"h"})");
  EXPECT_THAT(beat->lines(), ElementsAre("h /meta/connect", "/a:1"));
}

TEST_F(SessionTest, SessionsWhoseRowIsTooLongForOneFrameShareItsParts) {
  std::vector<std::unique_ptr<FakeSocket>> sockets;
  for (int i = 0; i < 2; ++i) {
    sockets.push_back(std::make_unique<FakeSocket>());
    send(*sockets.back(), connect(listening_session()));
    sockets.back()->take_lines();
  }
  for (int i = 0; i < 6; ++i) publish("/a", '"' + std::string(200'000, 'x') + '"');
  end_turn();
  for (const auto& socket : sockets) {
    EXPECT_EQ(socket->frames.size(), 3U);
    EXPECT_EQ(socket->take_lines().size(), 6U);
  }
}

TEST_F(SessionTest, SeveralSessionsShareASocketAndEachGetsItsOwn) {
  const std::string ann = listening_session(R"("/a")");
  const std::string bob = listening_session(R"("/b")");
  FakeSocket socket;
  send(socket, "[" + connect(ann, "1") + "," + connect(bob, "2") + "]");
  publish("/a", "1");
  publish("/b", "2");
  end_turn();
  EXPECT_THAT(socket.take_lines(), ElementsAre("/a:1", "/b:2"));
  send(socket, disconnect(ann, "d"));
  publish_now("/b", "3");
  EXPECT_THAT(socket.take_lines(), ElementsAre("1 /meta/connect", "d /meta/disconnect", "/b:3"));
  socket.break_off();
  publish_now("/b", "4");
  EXPECT_THAT(post(connect(bob))->lines(), ElementsAre("2 /meta/connect", "/b:4"));
}

TEST_F(SessionTest, OneOfSeveralSessionsLeavesASocketWithItsOwnMessagesOnly) {
  const std::string ann = listening_session(R"("/a")");
  const std::string bob = listening_session(R"("/a")");
  FakeSocket socket;
  send(socket, "[" + connect(ann, "1") + "," + connect(bob, "2") + "]");
  socket.is_stalled = true;
  publish_now("/a", "1");
  EXPECT_THAT(post(connect(ann, "lp", R"(,"advice":{"timeout":5000})"))->lines(),
              ElementsAre("lp /meta/connect", "/a:1"));
  end_turn();
  socket.go_on();
  EXPECT_THAT(socket.take_lines(), testing::UnorderedElementsAre("/a:1", "1 /meta/connect"));
}

TEST_F(SessionTest, FlushingSurvivesASocketThatBreaksWhileItIsWrittenTo) {
  struct Brittle final : Outlet {
    ~Brittle() override { leave_all(); }
    void send(Session& from, const core::BundlePtr& bundle) noexcept override {
      from.requeue(bundle);
      leave_all();
    }
    [[nodiscard]] bool is_congested() const noexcept override { return false; }
    void reply(std::string_view) noexcept override {}
    void give_back(Session&) noexcept override {}
    void end(const core::Disconnect&) noexcept override {}
  };
  std::vector<std::string> all;
  Brittle brittle;
  for (int i = 0; i < 3; ++i) {
    all.push_back(listening_session());
    find(all.back())->bind(brittle);
  }
  publish("/a", "1");
  brittle.flush_sessions();
  EXPECT_FALSE(brittle.has_sessions());
  end_turn();
  for (const auto& client : all) {
    EXPECT_THAT(post(connect(client))->lines(), ElementsAre("2 /meta/connect", "/a:1"));
  }
}

// ---- Streams that do not read

TEST_F(SessionTest, WhatComesWhileAStreamIsCongestedLeavesInOneGoAfterwards) {
  const std::string ann = listening_session();
  FakeSocket socket;
  send(socket, connect(ann));
  socket.is_stalled = true;
  for (int i = 1; i <= 4; ++i) publish_now("/a", std::to_string(i));
  socket.go_on();
  EXPECT_EQ(socket.frames.size(), 2U);
  EXPECT_THAT(socket.take_lines(), ElementsAre("/a:1", "/a:2", "/a:3", "/a:4"));
  publish_now("/a", "5");
  EXPECT_THAT(socket.take_lines(), ElementsAre("/a:5"));
}

TEST_F(SessionTest, AStreamThatFallsTooFarBehindIsClosedAndItsSessionKeepsEverything) {
  core::Realm realm;
  realm.limits.outbox_bytes_max = 10'000;
  use(realm);
  const std::string ann = listening_session();
  FakeSocket socket;
  send(socket, connect(ann));
  socket.is_stalled = true;
  std::size_t published = 0;
  for (; socket.ended.empty() && published < 100; ++published) {
    publish_now("/a", '"' + std::string(1000, 'x') + '"');
  }
  EXPECT_THAT(socket.ended, ElementsAre("slow consumer"));
  EXPECT_GE(published, 10U);
  EXPECT_LE(published, 13U);
  ASSERT_NE(find(ann), nullptr);
  EXPECT_EQ(post(connect(ann))->lines().size(), published + 1);
}

TEST_F(SessionTest, AStreamMayReadALongQueueAfterAnAbsence) {
  core::Realm realm;
  realm.limits.outbox_bytes_max = 200'000;
  use(realm);
  const std::string ann = listening_session();
  for (int i = 0; i < 30; ++i) publish_now("/a", '"' + std::string(50'000, 'x') + '"');
  FakeSocket socket;
  socket.is_stalled = true;
  send(socket, connect(ann));
  end_turn();
  publish_now("/a", "1");
  EXPECT_THAT(socket.ended, IsEmpty());
  socket.go_on();
  end_turn();
  EXPECT_EQ(socket.take_lines().size(), 31U);
}

TEST_F(SessionTest, AQueueOverItsLimitBehindACongestedStreamEndsTheSession) {
  core::Realm realm;
  realm.limits.queue_messages_max = 3;
  use(realm);
  const std::string ann = listening_session();
  FakeSocket socket;
  send(socket, connect(ann));
  socket.is_stalled = true;
  for (int i = 0; i < 6; ++i) publish_now("/a", "1");
  EXPECT_EQ(find(ann), nullptr);
  EXPECT_FALSE(socket.has_sessions());
}

/// The deadline of a held connect and the message too many in the same turn: expire() must not go
/// on with a session that its own flush has ended.
TEST_F(SessionTest, AHeldConnectMayExpireInTheTurnInWhichTheQueueOverflows) {
  core::Realm realm;
  realm.limits.queue_messages_max = 3;
  use(realm);
  const std::string ann = listening_session();
  FakeSocket socket;
  send(socket, connect(ann));
  socket.is_stalled = true;
  publish_now("/a", "1");
  office_.clock.advance(kHold + kTick);
  for (int i = 0; i < 6; ++i) publish("/a", "1");
  office_.wheel.advance(office_.clock.now());
  end_turn();
  EXPECT_EQ(find(ann), nullptr);
}

// ---- Expiry

TEST_F(SessionTest, ASessionThatNeverConnectsIsForgotten) {
  const std::string ann = new_session();
  advance(core::BayeuxTiming{}.handshake_timeout - kTick);
  EXPECT_NE(find(ann), nullptr);
  advance(2 * kTick);
  EXPECT_EQ(find(ann), nullptr);
  EXPECT_EQ(service().session_count(), 0U);
}

TEST_F(SessionTest, EveryMessageIsASignOfLife) {
  core::Realm realm;
  realm.client_publish = true;
  use(realm);
  const std::string ann = connected_session();
  for (const std::string& message :
       {subscribe(ann, R"("/a")"), unsubscribe(ann, R"("/a")"), connect(ann, "2", kNow),
        R"({"channel":"/b","data":1,"clientId":")" + ann + R"("})"}) {
    advance(kExpiry - kTick);
    post(message);
  }
  advance(kExpiry - kTick);
  EXPECT_NE(find(ann), nullptr);
  advance(2 * kTick);
  EXPECT_EQ(find(ann), nullptr);
}

TEST_F(SessionTest, ASessionDoesNotExpireWhileItsPollIsHeldAndTheAnswerCounts) {
  const std::string ann = listening_session();
  const CallPtr poll = post(connect(ann));
  advance(kHold + kTick);
  EXPECT_EQ(poll->answers, 1);
  advance(kExpiry - 2 * kTick);
  EXPECT_NE(find(ann), nullptr);
  advance(3 * kTick);
  EXPECT_EQ(find(ann), nullptr);
}

TEST_F(SessionTest, ASessionWithASocketNeverExpiresAndTheClockStartsWhenItGoes) {
  const std::string ann = listening_session();
  FakeSocket socket;
  send(socket, connect(ann));
  advance(10 * kExpiry);
  EXPECT_NE(find(ann), nullptr);
  socket.break_off();
  advance(kExpiry - kTick);
  EXPECT_NE(find(ann), nullptr);
  advance(2 * kTick);
  EXPECT_EQ(find(ann), nullptr);
}

TEST_F(SessionTest, APollThatIsLeftStartsTheClock) {
  const std::string ann = listening_session();
  const CallPtr poll = post(connect(ann));
  advance(base::Duration(20'000));
  poll->leave();
  advance(kExpiry - kTick);
  EXPECT_NE(find(ann), nullptr);
  advance(2 * kTick);
  EXPECT_EQ(find(ann), nullptr);
}

TEST_F(SessionTest, AConnectHeldOnASocketThatBrokeIsForgottenWithIt) {
  const std::string ann = listening_session();
  {
    FakeSocket socket;
    send(socket, connect(ann, "ws"));
    socket.break_off();
  }
  EXPECT_FALSE(find(ann)->holds_connect());
  publish_now("/a", "1");
  EXPECT_THAT(post(connect(ann))->lines(), ElementsAre("2 /meta/connect", "/a:1"));
}

TEST_F(SessionTest, ExpiryForgetsTheSubscriptionsToo) {
  listening_session(R"(["/a","/b/**"])");
  advance(kExpiry + kTick);
  EXPECT_TRUE(office_[0].hub(realm_).is_empty());
}

TEST_F(SessionTest, MessagesAloneDoNotKeepASessionAlive) {
  const std::string ann = listening_session();
  for (int i = 0; i < 70; ++i) {
    publish_now("/a", "1");
    advance(base::Duration(1000));
  }
  EXPECT_EQ(find(ann), nullptr);
}

// ---- Limits

TEST_F(SessionTest, AQueueOfTooManyMessagesEndsTheSessionAndTheClientIsTold) {
  core::Realm realm;
  realm.limits.queue_messages_max = 3;
  use(realm);
  const std::string ann = listening_session();
  for (int i = 0; i < 3; ++i) publish_now("/a", "1");
  EXPECT_NE(find(ann), nullptr);
  publish_now("/a", "1");
  EXPECT_EQ(find(ann), nullptr);
  EXPECT_THAT(post(connect(ann))->text, HasSubstr(R"("reconnect":"handshake")"));
}

TEST_F(SessionTest, AQueueOfTooManyBytesEndsTheSession) {
  core::Realm realm;
  realm.limits.queue_bytes_max = 10'000;
  use(realm);
  const std::string ann = listening_session();
  for (int i = 0; i < 20; ++i) publish_now("/a", '"' + std::string(1000, 'x') + '"');
  EXPECT_EQ(find(ann), nullptr);
}

TEST_F(SessionTest, APollThatTakesEverythingKeepsTheQueueShort) {
  core::Realm realm;
  realm.limits.queue_messages_max = 3;
  use(realm);
  const std::string ann = listening_session();
  for (int i = 0; i < 20; ++i) {
    publish_now("/a", "1");
    publish_now("/a", "1");
    EXPECT_EQ(post(connect(ann))->lines().size(), 3U);
  }
}

TEST_F(SessionTest, AnswersThatAreLostCountTowardsTheQueue) {
  core::Realm realm;
  realm.limits.queue_messages_max = 3;
  use(realm);
  const std::string ann = listening_session();
  const CallPtr poll = post(connect(ann));
  publish("/a", "1");
  publish("/a", "2");
  end_turn();
  publish_now("/a", "3");
  publish_now("/a", "4");
  EXPECT_NE(find(ann), nullptr);
  lose(*poll);
  end_turn();
  EXPECT_EQ(find(ann), nullptr);
}

class SmallMemoryTest : public ServiceFixture {
 protected:
  SmallMemoryTest() : ServiceFixture(1, {.memory = {.queued_bytes_max = 20'000}}) {}
};

TEST_F(SmallMemoryTest, WhoHoldsMostGoesFirst) {
  const std::string heavy = listening_session(R"(["/heavy","/light"])");
  const std::string light = listening_session(R"("/light")");
  publish_now("/light", "1");
  for (int i = 0; i < 18; ++i) publish_now("/heavy", '"' + std::string(1000, 'x') + '"');
  EXPECT_NE(find(heavy), nullptr);
  publish_now("/heavy", '"' + std::string(2000, 'x') + '"');
  EXPECT_EQ(find(heavy), nullptr);
  EXPECT_THAT(post(connect(light))->lines(), ElementsAre("2 /meta/connect", "/light:1"));
}

TEST_F(SmallMemoryTest, WhatHasLeftIsNotCounted) {
  const std::string ann = listening_session();
  for (int i = 0; i < 100; ++i) {
    publish_now("/a", '"' + std::string(5000, 'x') + '"');
    ASSERT_EQ(post(connect(ann))->lines().size(), 2U) << i;
  }
}

TEST_F(SmallMemoryTest, SessionsThatEndGiveTheirShareBack) {
  for (int i = 0; i < 20; ++i) {
    const std::string ann = listening_session();
    publish_now("/a", '"' + std::string(15'000, 'x') + '"');
    ASSERT_NE(find(ann), nullptr) << i;
    post(disconnect(ann));
  }
}

// ---- Shutting down

TEST_F(SessionTest, ReleasingAllAnswersEveryHeldConnectWithWhatWaits) {
  const std::string ann = listening_session();
  const std::string bob = listening_session();
  const CallPtr anns = post(connect(ann));
  FakeSocket bobs;
  send(bobs, connect(bob, "ws"));
  publish("/a", "1");
  service().release_all();
  EXPECT_THAT(anns->lines(), ElementsAre("2 /meta/connect", "/a:1"));
  end_turn();
  EXPECT_THAT(bobs.take_lines(), testing::UnorderedElementsAre("ws /meta/connect", "/a:1"));
}

TEST_F(SessionTest, ClearingForgetsSessionsWithoutAWord) {
  const std::string ann = listening_session();
  FakeSocket socket;
  send(socket, connect(ann));
  publish("/a", "1");
  service().clear();
  end_turn();
  EXPECT_EQ(service().session_count(), 0U);
  EXPECT_TRUE(office_[0].hub(realm_).is_empty());
  EXPECT_FALSE(socket.has_sessions());
}

}  // namespace
}  // namespace fanfare::protocol::bayeux
