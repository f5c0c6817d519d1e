// What the whole of sessions, streams, polls and lost answers promises, against a plain model.
#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "protocol/bayeux/service_fixture.hpp"

namespace fanfare::protocol::bayeux {
namespace {

/// Numbers its publications, and notes what its client has really read.
class DeliveriesTest : public ServiceFixture {
 protected:
  void read(const std::vector<std::string>& lines) {
    for (const std::string& line : lines) {
      if (line.starts_with("/a")) got_.push_back(line.substr(line.find(':') + 1));
    }
  }
  void publish_next(Dice& dice) {
    static constexpr std::array<const char*, 3> kChannels{"/a", "/a/b", "/other"};
    const std::string channel = kChannels[dice.below(3)];
    const std::string data = std::to_string(published_++);
    if (channel != "/other") due_.push_back(data);
    publish(channel, data);
  }

  std::size_t published_ = 0;
  std::vector<std::string> due_;
  std::vector<std::string> got_;
};

/// Goal: whatever sockets and polls come, stall, break and lose, a client that keeps one request on
/// its way gets every publication once and in order.
/// Method: 6000 random steps with one session, three sockets and a poll; every way for a message to
/// be on its way is cut at random moments, also within a turn. The client settles the fate of its
/// last answer before it sends anything, as HTTP makes it.
TEST_F(DeliveriesTest, ComeOnceAndInOrderWhateverBecomesOfTheirWays) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE("FANFARE_SEED=" + std::to_string(seed));
  Dice dice(seed);
  const std::string ann = listening_session(R"(["/a","/a/*","/a/**"])");
  std::array<std::unique_ptr<FakeSocket>, 3> sockets;
  CallPtr poll;  // held, or answered and on its way to the client

  const auto read_sockets = [&] {
    for (const auto& socket : sockets) {
      if (socket) read(socket->take_lines());
    }
  };
  const auto settle_poll = [&] {
    if (!poll || poll->answers == 0) return;
    if (dice.one_in(3)) {
      lose(*poll);
    } else {
      read(poll->lines());
    }
    poll.reset();
  };

  for (int step = 0; step < 6000; ++step) {
    switch (dice.below(10)) {
      case 0:
      case 1:
      case 2:
        publish_next(dice);
        break;
      case 3:
        end_turn();
        break;
      case 4: {  // a poll, brief or long, alone or in company
        settle_poll();
        if (poll && dice.one_in(2)) break;  // most clients wait for the one they have
        const std::string message = connect(ann, "c", dice.one_in(2) ? kNow : "");
        CallPtr next =
            post(dice.one_in(4) ? "[" + subscribe(ann, R"("/a")") + "," + message + "]" : message);
        EXPECT_TRUE(!poll || poll->is_superseded);
        poll = std::move(next);
        break;
      }
      case 5:  // the peer of a held poll goes
        if (poll && poll->is_held()) {
          poll->leave();
          poll.reset();
        }
        break;
      case 6: {  // a message on a socket, perhaps a new one
        settle_poll();
        auto& socket = dice.of(sockets);
        if (!socket) socket = std::make_unique<FakeSocket>();
        send(*socket, dice.one_in(2) ? connect(ann, "c") : subscribe(ann, R"("/a/*")"));
        break;
      }
      case 7: {  // a peer reads or does not
        auto& socket = dice.of(sockets);
        if (!socket) break;
        if (socket->is_stalled) {
          socket->go_on();
        } else {
          socket->is_stalled = true;
        }
        break;
      }
      case 8: {  // a socket breaks
        auto& socket = dice.of(sockets);
        if (!socket || dice.one_in(2)) break;
        socket->break_off();
        read(socket->take_lines());
        socket.reset();
        break;
      }
      default:
        if (!dice.one_in(6)) break;
        post(subscribe(ann, R"("/a")"));  // a sign of life, which brings nothing
        advance(base::Duration(dice.below(31'000)));
    }
    read_sockets();
    ASSERT_NE(find(ann), nullptr);
    ASSERT_TRUE(
        std::equal(got_.begin(), got_.end(), due_.begin(),
                   due_.begin() + static_cast<std::ptrdiff_t>(std::min(got_.size(), due_.size()))))
        << "step " << step << ", after " << got_.size() << " messages";
  }

  settle_poll();
  if (poll) poll->leave();
  for (const auto& socket : sockets) {
    if (socket) socket->break_off();
  }
  read_sockets();
  end_turn();
  for (CallPtr last = post(connect(ann, "c", kNow)); last->delivered.bundle;
       last = post(connect(ann, "c", kNow))) {
    read(last->lines());
  }
  EXPECT_EQ(got_, due_);
}

/// The same with CometD's acknowledgement, where answers may get lost without anybody noticing.
TEST_F(DeliveriesTest, ComeOnceAndInOrderToWhoAcknowledges) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE("FANFARE_SEED=" + std::to_string(seed));
  Dice dice(seed);
  const std::string ann = client_id_in(post(handshake(R"(,"ext":{"ack":true})"))->text);
  post(subscribe(ann, R"(["/a","/a/*"])"));
  auto socket = std::make_unique<FakeSocket>();
  CallPtr poll;
  std::int64_t acknowledged = 0;

  const auto read_batch = [&](const std::string& elements) {
    const std::string array = "[" + elements + "]";
    wire::json::validate(array)->for_each_element([&](const wire::json::Value& element) {
      if (const auto ext = element.find("ext")) acknowledged = *ext->find("ack")->as_int64();
    });
    read(all_in_short(elements));
  };
  const auto next_connect = [&] {
    return connect(
        ann, "c",
        fmt::format(R"(,"ext":{{"ack":{}}}{})", acknowledged, dice.one_in(2) ? kNow : ""));
  };

  for (int step = 0; step < 4000; ++step) {
    switch (dice.below(7)) {
      case 0:
      case 1:
        publish_next(dice);
        break;
      case 2:
        end_turn();
        break;
      case 3:
      case 4:
        if (poll && poll->answers > 0) {
          if (!dice.one_in(3)) read_batch(poll->text);
          poll.reset();
        }
        if (!poll) poll = post(next_connect());
        break;
      case 5:
        if (poll && poll->is_held()) poll->leave();
        poll.reset();
        send(*socket, next_connect());
        break;
      default:
        if (!dice.one_in(4)) break;
        socket->break_off();
        socket = std::make_unique<FakeSocket>();
    }
    for (const std::string& frame : socket->frames) read_batch(frame);
    socket->frames.clear();
    ASSERT_LE(got_.size(), due_.size());
    ASSERT_TRUE(std::equal(got_.begin(), got_.end(), due_.begin())) << "step " << step;
  }
  if (poll && poll->is_held()) poll->leave();
  end_turn();
  for (int i = 0; i < 2; ++i)
    read_batch(
        post(connect(ann, "c", fmt::format(R"(,"ext":{{"ack":{}}}{})", acknowledged, kNow)))->text);
  EXPECT_EQ(got_, due_);
}

}  // namespace
}  // namespace fanfare::protocol::bayeux
