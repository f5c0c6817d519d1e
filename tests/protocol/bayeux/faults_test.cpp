#include <string>

#include "base/fault.hpp"
#include "protocol/bayeux/service_fixture.hpp"

// What throws ends, and what stands beside it goes on.

namespace fanfare::protocol::bayeux {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class MissedTest : public ServiceFixture {};

TEST_F(MissedTest, ASessionThatMayHaveMissedSomethingEndsAndItsClientIsTold) {
  const std::string ann = listening_session();
  const CallPtr poll = post(connect(ann));
  find(ann)->missed();
  ASSERT_NE(find(ann), nullptr) << "the hub may be iterating";
  end_turn();
  EXPECT_EQ(find(ann), nullptr);
  EXPECT_THAT(poll->text, HasSubstr(R"("advice":{"reconnect":"handshake")"));
}

TEST_F(MissedTest, SoDoesOneOnASocketWithoutSendingTheRest) {
  FakeSocket socket;
  const std::string ann = listening_session();
  send(socket, connect(ann));
  socket.take_lines();
  publish("/a", "1");
  find(ann)->missed();
  end_turn();
  EXPECT_EQ(find(ann), nullptr);
  EXPECT_THAT(socket.ended, ElementsAre("internal error"));
  EXPECT_THAT(socket.take_lines(), ElementsAre("2 /meta/connect 401:" + ann + ":Unknown client"));
}

#ifdef FANFARE_FAULTS

class BayeuxFaultTest : public ServiceFixture {
 protected:
  explicit BayeuxFaultTest(std::size_t workers = 1) : ServiceFixture(workers) {}
  ~BayeuxFaultTest() override { base::faults::throw_at(0); }

  /// Sends a message in whose handling the place throws.
  CallPtr post_and_throw(std::string_view message, const char* place) {
    base::faults::throw_at_place(place);
    CallPtr call(new FakeCall);
    EXPECT_THROW(handle(message, *call), base::InjectedFault);
    return call;
  }
};

TEST_F(BayeuxFaultTest, AMessageThatThrowsFailsItsCallerAndEndsItsSession) {
  const std::string ann = listening_session();
  const std::string bob = listening_session();
  const CallPtr call = post_and_throw(subscribe(ann, R"("/b")"), "a subscription here");
  EXPECT_TRUE(call->has_failed);
  EXPECT_EQ(call->answers, 0);
  EXPECT_EQ(find(ann), nullptr);
  const CallPtr poll = post(connect(bob));
  publish_now("/a", "1");
  EXPECT_THAT(poll->lines(), ElementsAre("2 /meta/connect", "/a:1"));
}

TEST_F(BayeuxFaultTest, AReplyThatThrowsEndsTheSessionThatHadAlreadyChanged) {
  const std::string ann = listening_session();
  post_and_throw(unsubscribe(ann, R"("/a")"), "a reply");
  EXPECT_EQ(find(ann), nullptr);
  post_and_throw(handshake(), "a reply");
  EXPECT_THAT(post(handshake())->text, HasSubstr(R"("successful":true)"));
}

TEST_F(BayeuxFaultTest, AFlushThatThrowsEndsThatSessionAndTheOthersGetTheirs) {
  const std::string ann = listening_session();
  const std::string bob = listening_session();
  const CallPtr anns = post(connect(ann));
  const CallPtr bobs = post(connect(bob));
  publish("/a", "1");
  base::faults::throw_at_place("a session's flush");
  end_turn();
  EXPECT_EQ((find(ann) != nullptr) + (find(bob) != nullptr), 1);
  const CallPtr& told = find(ann) == nullptr ? anns : bobs;
  const CallPtr& served = find(ann) == nullptr ? bobs : anns;
  EXPECT_THAT(told->text, HasSubstr(R"("advice":{"reconnect":"handshake")"));
  EXPECT_THAT(served->lines(), ElementsAre("2 /meta/connect", "/a:1"));
}

TEST_F(BayeuxFaultTest, ASessionWhoseTimerThrowsEnds) {
  const std::string ann = listening_session();
  const CallPtr poll = post(connect(ann));
  base::faults::throw_at_place("a timer");
  advance(base::Duration(30'000));
  EXPECT_EQ(find(ann), nullptr);
  EXPECT_EQ(poll->answers, 1) << "nobody waits for ever";
}

TEST_F(BayeuxFaultTest, AFlushThatHasToWaitForAnotherTurnLosesNothing) {
  const std::string ann = listening_session();
  const CallPtr poll = post(connect(ann));
  publish("/a", "1");
  base::faults::throw_at_place("somebody who had to wait");
  end_turn();
  EXPECT_STREQ(base::faults::thrown_at(), "somebody who had to wait");
  EXPECT_THAT(poll->lines(), ElementsAre("2 /meta/connect", "/a:1"));
}

class BayeuxWaitingFaultTest : public BayeuxFaultTest {
 protected:
  /// More than is done in one turn.
  std::string many_messages() const {
    std::string messages = "[" + unsubscribe(ann_, R"("/a")");
    for (int i = 0; i < 900; ++i) messages += "," + unsubscribe(ann_, R"("/b")");
    return messages + "]";
  }
  /// In a later turn.
  CallPtr post_and_throw_later(const char* place) {
    const CallPtr call = post(many_messages());
    EXPECT_EQ(call->answers, 0);
    EXPECT_FALSE(call->has_failed);
    base::faults::throw_at_place(place);
    end_turn();
    EXPECT_STREQ(base::faults::thrown_at(), place);
    return call;
  }

  const std::string ann_ = listening_session();
  const std::string bob_ = listening_session();
};

TEST_F(BayeuxWaitingFaultTest, MessagesThatHadToWaitFailTheirCaller) {
  const CallPtr call = post_and_throw_later("somebody who had to wait");
  EXPECT_TRUE(call->has_failed);
  EXPECT_EQ(call->answers, 0);
  EXPECT_NE(find(ann_), nullptr) << "nothing was being done with it";
}

TEST_F(BayeuxWaitingFaultTest, OneThatThrowsInALaterTurnEndsItsSession) {
  const CallPtr call = post_and_throw_later("a message of a session");
  EXPECT_TRUE(call->has_failed);
  EXPECT_EQ(call->answers, 0);
  EXPECT_EQ(find(ann_), nullptr);
  const CallPtr poll = post(connect(bob_));
  publish_now("/a", "1");
  EXPECT_THAT(poll->lines(), ElementsAre("2 /meta/connect", "/a:1"));
}

class BayeuxFaultOnTwoWorkersTest : public BayeuxFaultTest {
 protected:
  BayeuxFaultOnTwoWorkersTest() : BayeuxFaultTest(2) {}
};

TEST_F(BayeuxFaultOnTwoWorkersTest, ASubscriptionThatAHomeLosesEndsItsSessionAndFailsItsCaller) {
  const std::string ann = listening_session();
  const CallPtr call = post(subscribe(ann, R"("/**")"));
  base::faults::throw_at_place("a subscription at its home");
  EXPECT_THROW(office_.carry(0, 1), base::InjectedFault);
  EXPECT_EQ(call->answers, 0);
  office_.carry_all();
  EXPECT_TRUE(call->has_failed);
  EXPECT_EQ(find(ann), nullptr) << "it would believe that it listens";
}

#endif

}  // namespace
}  // namespace fanfare::protocol::bayeux
