#include "protocol/bayeux/extensions.hpp"

#include <chrono>
#include <string>
#include <vector>

#include "protocol/bayeux/service_fixture.hpp"

namespace fanfare::protocol::bayeux {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

/// CometD's acknowledgement (spec/bayeux section 9.1).
class AcknowledgementTest : public ServiceFixture {
 protected:
  /// A session that acknowledges, has connected once (which closed batch 1) and listens to "/a".
  std::string acknowledging_session() {
    const CallPtr call = post(handshake(R"(,"ext":{"ack":true})"));
    EXPECT_THAT(call->text, HasSubstr(R"("ext":{"ack":true})"));
    const std::string client = client_id_in(call->text);
    post(connect(client));
    post(subscribe(client, R"("/a")"));
    return client;
  }
  static std::string acknowledge(int batch) {
    return R"(,"ext":{"ack":)" + std::to_string(batch) + "}";
  }
  static std::string closing(int batch) {
    return R"("ext":{"ack":)" + std::to_string(batch) + "}}";
  }
};

TEST_F(AcknowledgementTest, IsForThoseWhoAskWithTrue) {
  for (const auto* ext : {R"("ack":false)", R"("ack":1)", R"("ack":"true")", R"("other":true)"}) {
    EXPECT_THAT(post(handshake(fmt::format(R"(,"ext":{{{}}})", ext)))->text,
                Not(HasSubstr("\"ext\"")));
  }
  EXPECT_THAT(post(handshake(R"(,"ext":{"ack":{"enabled":true}})"))->text,
              HasSubstr(R"("ext":{"ack":true})"));
}

TEST_F(AcknowledgementTest, EveryConnectReplyClosesABatch) {
  const std::string ann = acknowledging_session();
  EXPECT_THAT(post(connect(ann, "2", R"(,"ext":{"ack":1},"advice":{"timeout":0})"))->text,
              EndsWith(closing(2)));
  const CallPtr poll = post(connect(ann, "3", acknowledge(2)));
  publish_now("/a", "1");
  EXPECT_THAT(poll->text, HasSubstr(R"("ext":{"ack":3})"));
  EXPECT_THAT(poll->lines(), testing::UnorderedElementsAre("/a:1", "3 /meta/connect"));
}

TEST_F(AcknowledgementTest, WhatWasAcknowledgedIsNotSentAgain) {
  const std::string ann = acknowledging_session();
  publish_now("/a", "1");
  post(connect(ann, "2", acknowledge(1)));  // closes batch 2
  EXPECT_TRUE(post(connect(ann, "3", acknowledge(2)))->is_held());
}

TEST_F(AcknowledgementTest, WhatWasNotIsSentAgainInOrderBeforeWhatIsNew) {
  const std::string ann = acknowledging_session();
  publish_now("/a", "1");
  publish_now("/a", "2");
  post(connect(ann, "2", acknowledge(1)));  // closes batch 2, and is lost
  publish_now("/a", "3");
  const CallPtr again = post(connect(ann, "3", acknowledge(1)));
  EXPECT_THAT(again->lines(), ElementsAre("/a:1", "/a:2", "/a:3", "3 /meta/connect"));
  EXPECT_THAT(again->text, EndsWith(closing(3)));
  EXPECT_TRUE(post(connect(ann, "4", acknowledge(3)))->is_held());
}

TEST_F(AcknowledgementTest, AConnectWithoutAnAcknowledgementDiscardsNothing) {
  const std::string ann = acknowledging_session();
  publish_now("/a", "1");
  post(connect(ann));
  EXPECT_THAT(post(connect(ann))->lines(), ElementsAre("/a:1", "2 /meta/connect"));
}

TEST_F(AcknowledgementTest, AnOldAcknowledgementDiscardsOnlyWhatItNames) {
  const std::string ann = acknowledging_session();
  publish_now("/a", "1");
  post(connect(ann, "2", acknowledge(1)));  // 2
  publish_now("/a", "2");
  post(connect(ann, "3", acknowledge(2)));  // 3
  EXPECT_THAT(post(connect(ann, "4", acknowledge(2)))->lines(),
              ElementsAre("/a:2", "4 /meta/connect"));
  // Numbers from the future or before the beginning harm nobody.
  EXPECT_THAT(post(connect(ann, "5", acknowledge(-7)))->lines(),
              ElementsAre("/a:2", "5 /meta/connect"));
  EXPECT_TRUE(post(connect(ann, "6", acknowledge(999)))->is_held());
}

TEST_F(AcknowledgementTest, AnAnswerKnownToBeLostDoesNotDoubleAnything) {
  const std::string ann = acknowledging_session();
  const CallPtr poll = post(connect(ann, "2", acknowledge(1)));
  publish_now("/a", "1");
  ASSERT_EQ(poll->answers, 1);
  lose(*poll);
  end_turn();
  EXPECT_THAT(post(connect(ann, "3", acknowledge(1)))->lines(),
              ElementsAre("/a:1", "3 /meta/connect"));
}

TEST_F(AcknowledgementTest, OnASocketDeliveriesComeOnlyWithConnectReplies) {
  const std::string ann = acknowledging_session();
  FakeSocket socket;
  send(socket, subscribe(ann, R"("/b")", "s"));
  publish_now("/a", "1");
  EXPECT_THAT(socket.take_lines(), ElementsAre("s /meta/subscribe"));
  send(socket, connect(ann, "2", acknowledge(1)));
  EXPECT_THAT(socket.take_lines(), ElementsAre("/a:1", "2 /meta/connect"));
  send(socket, connect(ann, "3", acknowledge(2)));
  EXPECT_THAT(socket.take_lines(), ElementsAre());
  publish_now("/a", "2");
  ASSERT_EQ(socket.frames.size(), 1U);
  EXPECT_THAT(socket.frames.front(), EndsWith(closing(3)));
  EXPECT_THAT(socket.take_lines(), ElementsAre("/a:2", "3 /meta/connect"));
}

TEST_F(AcknowledgementTest, WhatASocketTookToItsEndComesAgain) {
  const std::string ann = acknowledging_session();
  FakeSocket socket;
  send(socket, connect(ann, "2", acknowledge(1)));
  socket.is_stalled = true;
  publish_now("/a", "1");
  socket.break_off();
  publish_now("/a", "2");
  EXPECT_THAT(post(connect(ann, "3", acknowledge(1)))->lines(),
              ElementsAre("/a:1", "/a:2", "3 /meta/connect"));
}

TEST_F(AcknowledgementTest, AHandshakeOnASocketKeepsWorking) {
  FakeSocket socket;
  send(socket, handshake(R"(,"ext":{"ack":true})"));
  const std::string ann = client_id_in(socket.frames.front());
  socket.take_lines();
  send(socket, subscribe(ann, R"("/a")"));
  send(socket, connect(ann, "2", acknowledge(0)));
  EXPECT_THAT(socket.frames.back(), EndsWith(closing(1)));
  publish_now("/a", "1");
  socket.take_lines();
  send(socket, connect(ann, "3", acknowledge(1)));
  EXPECT_THAT(socket.take_lines(), ElementsAre("/a:1", "3 /meta/connect"));
}

/// A flush that finds the queue over its limit ends the session, and the connect would go on with
/// what is no longer there.
TEST_F(AcknowledgementTest, APollThatFindsTooMuchWaitingUnderASocketDoesNotTrip) {
  core::Realm realm;
  realm.limits.queue_messages_max = 3;
  use(realm);
  const std::string ann = acknowledging_session();
  FakeSocket socket;
  send(socket, subscribe(ann, R"("/b")", "s"));
  for (int i = 0; i < 5; ++i) publish("/a", "1");
  const CallPtr poll = post(connect(ann, "2", acknowledge(1)));
  end_turn();
  EXPECT_LE(poll->answers, 1);
}

/// Whoever never acknowledges must not make the server keep everything for ever (spec: "the queue
/// is unbounded by protocol, so bound it").
TEST_F(AcknowledgementTest, AClientThatNeverAcknowledgesDoesNotKeepEverything) {
  core::Realm realm;
  realm.limits.queue_messages_max = 100;
  use(realm);
  for (const bool has_socket : {false, true}) {
    const std::string ann = acknowledging_session();
    const core::PublicationPtr first = core::publication("/a", "first");
    const std::weak_ptr<const core::Publication> watched = [&] {
      std::vector<core::PublishItem> items(1);
      items[0].publication = core::publication("/a", "0");
      const std::weak_ptr<const core::Publication> weak = items[0].publication;
      office_[0].publish(realm_, std::move(items), [] {});
      return weak;
    }();
    end_turn();
    FakeSocket socket;
    for (int i = 1; i < 500; ++i) {
      if (find(ann) != nullptr) {
        if (has_socket) {
          send(socket, connect(ann));
        } else {
          post(connect(ann));
        }
      }
      publish_now("/a", std::to_string(i));
      socket.take_lines();
    }
    advance(2 * delivery::Rows::kRemembered);
    EXPECT_TRUE(watched.expired()) << "has_socket " << has_socket;
  }
}

/// CometD's clock comparison (section 9.2).
class TimeSyncTest : public ServiceFixture {
 protected:
  static std::string asking(std::string_view timesync) {
    return fmt::format(R"(,"ext":{{"timesync":{}}})", timesync);
  }
  [[nodiscard]] std::int64_t now_ms() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               office_.clock.wall_now().time_since_epoch())
        .count();
  }
};

TEST_F(TimeSyncTest, AnswersAHandshakeWithTheServersTime) {
  EXPECT_THAT(post(handshake(asking(R"({"tc":1000,"l":0,"o":0})")))->text,
              HasSubstr(fmt::format(R"("ext":{{"timesync":{{"tc":1000,"ts":{},"p":0,"a":{}}}}})",
                                    now_ms(), 1000 - now_ms())));
}

TEST_F(TimeSyncTest, SaysHowLongAConnectWasHeld) {
  const std::string ann = listening_session();
  const std::int64_t received = now_ms();
  const CallPtr poll = post(connect(ann, "2", asking(R"({"tc":5})")));
  advance(base::Duration(1234));
  publish_now("/a", "1");
  EXPECT_THAT(poll->text,
              HasSubstr(fmt::format(R"("timesync":{{"tc":5,"ts":{},"p":1234}})", received)));
}

TEST_F(TimeSyncTest, SaysNothingWhenTheClocksAgree) {
  const std::string near = fmt::format(R"({{"tc":{},"l":10,"o":5}})", now_ms());
  EXPECT_THAT(post(handshake(asking(near)))->text, Not(HasSubstr("timesync")));
  const std::string far = fmt::format(R"({{"tc":{},"l":10,"o":15}})", now_ms());
  EXPECT_THAT(post(handshake(asking(far)))->text, HasSubstr(R"("a":25})"));
}

TEST_F(TimeSyncTest, IgnoresWhatIsNoTime) {
  for (const auto* strange : {"{}", "5", "null", R"({"tc":"now"})", R"({"tc":1.5})",
                              R"({"tc":9223372036854775807})", R"({"tc":-9223372036854775808})"}) {
    const CallPtr call = post(handshake(asking(strange)));
    EXPECT_THAT(call->lines(), ElementsAre("1 /meta/handshake"));
    EXPECT_THAT(call->text, Not(HasSubstr("timesync"))) << strange;
  }
}

TEST_F(TimeSyncTest, StandsBesideAnAcknowledgement) {
  const CallPtr call = post(handshake(R"(,"ext":{"ack":true,"timesync":{"tc":1}})"));
  EXPECT_THAT(call->text, HasSubstr(R"("ext":{"ack":true,"timesync":{"tc":1,)"));
}

}  // namespace
}  // namespace fanfare::protocol::bayeux
