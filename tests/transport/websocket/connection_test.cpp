#include "transport/websocket/connection.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <boost/intrusive/list.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fault.hpp"
#include "net/loopback.hpp"
#include "support/client_socket.hpp"
#include "support/service_thread.hpp"
#include "wire/websocket/client_frame.hpp"

namespace fanfare::transport::websocket {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using wire::websocket::client_close;
using wire::websocket::client_frame;
using wire::websocket::Opcode;

/// What a browser sees of a connection that has been upgraded.
class Browser {
 public:
  explicit Browser(ClientSocket socket) : socket_(std::move(socket)) {}

  void send(std::string_view text) { socket_.send(client_frame({.payload = std::string(text)})); }
  ClientSocket& socket() { return socket_; }

  /// "text …", "close 1001 why", "ping", …; "end" when nothing more comes.
  std::string receive() {
    const std::string start = socket_.receive_exactly(2);
    if (start.size() < 2) return "end";
    std::size_t length = static_cast<unsigned char>(start[1]);
    const std::size_t extra = length == 126 ? 2 : length == 127 ? 8 : 0;
    if (extra > 0) length = 0;
    for (const char byte : socket_.receive_exactly(extra)) {
      length = length * 256 + static_cast<unsigned char>(byte);
    }
    const std::string payload = socket_.receive_exactly(length);
    if (payload.size() < length) return "end";
    switch (static_cast<Opcode>(start[0] & 0x0f)) {
      case Opcode::text:
        return "text " + payload;
      case Opcode::ping:
        return "ping " + payload;
      case Opcode::pong:
        return "pong " + payload;
      case Opcode::close:
        if (payload.size() < 2) return "close";
        return "close " +
               std::to_string(static_cast<unsigned char>(payload[0]) * 256 +
                              static_cast<unsigned char>(payload[1])) +
               " " + payload.substr(2);
      default:
        return "another frame";
    }
  }

 private:
  ClientSocket socket_;
};

class WebSocketTest : public ::testing::Test {
 protected:
  ~WebSocketTest() override {
    bayeux_.thread.call([this] {
      while (!connections_.empty()) connections_.front().abort();
    });
    bayeux_.thread.call([] {});
    bayeux_.thread.stop();
    bayeux_.service.clear();
  }
  Browser open(std::string unread = "") {
    auto [descriptor, client] = net::loopback_connection();
    bayeux_.thread.call([this, descriptor = descriptor, &unread] {
      const ConnectionPtr connection(new Connection(
          context_, net::Socket(bayeux_.thread.loop, {net::Descriptor(descriptor), false, {}}),
          bayeux_.realm, Compression{}));
      connections_.push_back(*connection);
      connection->start("answer ", std::move(unread));
    });
    EXPECT_EQ(client.receive_exactly(7), "answer ");
    return Browser(std::move(client));
  }
  std::string new_session(Browser& browser, std::string_view channel = "/a") {
    browser.send(kHandshakeMessage);
    const std::string client = client_id_in(browser.receive());
    browser.send(connect_message(client));
    browser.receive();
    browser.send(subscribe_message(client, channel));
    browser.receive();
    return client;
  }
  bool wait_until_closed() {
    return bayeux_.wait_until([this] { return connections_.empty(); });
  }
  /// The data of what waits in a session, fetched over a socket of its own.
  std::vector<std::string> fetch(const std::string& client, std::size_t count) {
    Browser browser = open();
    browser.send(connect_message(client));
    std::vector<std::string> got;
    while (got.size() < count) {
      const std::string frame = browser.receive();
      if (!frame.starts_with("text ")) break;
      wire::json::validate(std::string_view(frame).substr(5))
          ->for_each_element([&](const wire::json::Value& element) {
            if (const auto data = element.find("data")) got.emplace_back(data->raw());
          });
    }
    return got;
  }

  ServiceThread bayeux_;
  ConnectionLimits limits_{.message_bytes_max = 100'000,
                           .message_timeout = base::Duration(30'000),
                           .ping_interval = base::Duration(30'000),
                           .unused_timeout = base::Duration(600'000)};
  std::vector<std::pair<core::WorkerIndex, Moving>> moved_;

 private:
  std::vector<char> scratch_ = std::vector<char>(64 * 1024);
  base::ByteBudget incoming_{1'000'000};
  wire::websocket::Inflater inflater_;
  wire::websocket::Deflater deflater_;

 protected:
  ConnectionContext context_{
      bayeux_.thread.loop,
      limits_,
      bayeux_.service,
      scratch_,
      incoming_,
      inflater_,
      deflater_,
      {},
      [this](core::WorkerIndex to, Moving moving) { moved_.emplace_back(to, std::move(moving)); }};
  boost::intrusive::list<Connection, boost::intrusive::base_hook<ConnectionHook>,
                         boost::intrusive::constant_time_size<false>>
      connections_;
};

// ---- Frames

TEST_F(WebSocketTest, SpeaksBayeuxFrameByFrame) {
  Browser browser = open();
  browser.send(kHandshakeMessage);
  const std::string handshake = browser.receive();
  EXPECT_THAT(handshake, StartsWith(R"(text [{"channel":"/meta/handshake","successful":true)"));
  const std::string client = client_id_in(handshake);
  browser.send(connect_message(client));
  EXPECT_THAT(browser.receive(), HasSubstr("/meta/connect"));
  browser.send(subscribe_message(client, "/a"));
  EXPECT_THAT(browser.receive(), HasSubstr("/meta/subscribe"));
  bayeux_.publish("/a", "1");
  EXPECT_EQ(browser.receive(), R"(text [{"channel":"/a","data":1}])");
}

TEST_F(WebSocketTest, ReadsWhatCameBehindTheUpgrade) {
  const std::string frame = client_frame({.payload = std::string(kHandshakeMessage)});
  Browser browser = open(frame + frame.substr(0, 20));
  EXPECT_THAT(browser.receive(), HasSubstr("/meta/handshake"));
  browser.socket().send(frame.substr(20));
  EXPECT_THAT(browser.receive(), HasSubstr("/meta/handshake"));
}

TEST_F(WebSocketTest, ReadsFramesThatComeByteByByte) {
  Browser browser = open();
  for (const char byte : client_frame({.payload = "[]"})) browser.socket().send({&byte, 1});
  EXPECT_EQ(browser.receive(), "text []");
}

TEST_F(WebSocketTest, AnswersFayesKeepAliveAndBinaryFrames) {
  Browser browser = open();
  browser.send("[]");
  EXPECT_EQ(browser.receive(), "text []");
  browser.socket().send(client_frame({.opcode = Opcode::binary, .payload = "[]"}));
  EXPECT_EQ(browser.receive(), "text []");
}

TEST_F(WebSocketTest, AnswersPingsAndManyFramesOfOneReadInOrder) {
  Browser browser = open();
  std::string frames;
  for (int i = 0; i < 50; ++i) {
    frames += client_frame({.opcode = Opcode::ping, .payload = std::to_string(i)});
    frames += client_frame({.payload = R"([{"channel":"/x","id":)" + std::to_string(i) + "}]"});
  }
  browser.socket().send(frames);
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(browser.receive(), "pong " + std::to_string(i));
    EXPECT_THAT(browser.receive(), StartsWith(R"(text [{"id":)" + std::to_string(i) + ","));
  }
}

TEST_F(WebSocketTest, ClosesOverWhatItCannotRead) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {client_frame({.payload = "[{]"}), "close 1007 "},
      {client_frame({.payload = "5"}), "close 1007 "},
      {client_frame({.payload = "\xff"}), "close 1007 "},
      {client_frame({.payload = '"' + std::string(100'001, 'x') + '"'}), "close 1009 "},
      {std::string("\x81\x02[]"), "close 1002 "}};
  for (const auto& [frame, close] : cases) {
    Browser browser = open();
    browser.socket().send(frame);
    EXPECT_THAT(browser.receive(), StartsWith(close));
    EXPECT_EQ(browser.receive(), "end");
  }
}

TEST_F(WebSocketTest, ClosesOverTooManyMessages) {
  core::Realm realm;
  realm.limits.batch_messages_max = 2;
  bayeux_.use(realm);
  Browser browser = open();
  browser.send("[{},{},{}]");
  EXPECT_THAT(browser.receive(), StartsWith("close 1009 "));
}

TEST_F(WebSocketTest, EchoesACloseAndIsGone) {
  Browser browser = open();
  new_session(browser);
  browser.socket().send(client_close(1000));
  EXPECT_THAT(browser.receive(), StartsWith("close 1000"));
  EXPECT_EQ(browser.receive(), "end");
  browser.socket().close();
  EXPECT_TRUE(wait_until_closed());
}

TEST_F(WebSocketTest, ClosesWhenTheServerStops) {
  Browser browser = open();
  bayeux_.thread.call([this] { connections_.front().close(core::kShutdown); });
  EXPECT_EQ(browser.receive(), "close 1001 server is shutting down");
  EXPECT_EQ(browser.receive(), "end");
}

// ---- Peers that go or do not read

TEST_F(WebSocketTest, MessagesAfterAResetWaitForTheClient) {
  Browser browser = open();
  const std::string client = new_session(browser);
  browser.socket().reset();
  ASSERT_TRUE(wait_until_closed());
  bayeux_.publish("/a", "1");
  ASSERT_TRUE(bayeux_.wait_until_waiting(client));
  EXPECT_THAT(fetch(client, 1), ElementsAre("1"));
}

TEST_F(WebSocketTest, APeerThatReadsSlowlyGetsEverythingInOrder) {
  core::Realm realm;
  realm.limits.outbox_bytes_max = 100'000'000;
  bayeux_.use(realm);
  Browser browser = open();
  new_session(browser);
  const std::string data = '"' + std::string(60'000, 'x');
  for (int i = 0; i < 200; ++i) bayeux_.publish("/a", data + std::to_string(i) + '"');
  int next = 0;
  while (next < 200) {
    const std::string frame = browser.receive();
    ASSERT_THAT(frame, StartsWith("text ")) << next;
    wire::json::validate(std::string_view(frame).substr(5))
        ->for_each_element([&](const wire::json::Value& element) {
          EXPECT_EQ(element.find("data")->as_string().substr(60'000), std::to_string(next++));
        });
  }
}

TEST_F(WebSocketTest, APeerThatDoesNotReadIsClosedAndItsMessagesWait) {
  Browser browser = open();
  const std::string client = new_session(browser);
  const std::string data = '"' + std::string(60'000, 'x') + '"';
  for (int i = 0; i < 150; ++i) bayeux_.publish("/a", data);
  ASSERT_TRUE(bayeux_.wait_until_waiting(client));
  std::string last;
  for (std::string frame = browser.receive(); frame != "end"; frame = browser.receive()) {
    last = frame;
  }
  EXPECT_EQ(last, "close 1013 slow consumer");
}

/// Goal: whatever was on its way when a socket broke arrives by the next one; nothing that the peer
/// has read comes twice.
TEST_F(WebSocketTest, WhatHadNotBeenWrittenComesDownTheNextSocket) {
  core::Realm realm;
  realm.limits.outbox_bytes_max = 100'000'000;
  bayeux_.use(realm);
  Browser browser = open();
  const std::string client = new_session(browser);
  const std::string data = '"' + std::string(60'000, 'x');
  for (int i = 0; i < 200; ++i) bayeux_.publish("/a", data + std::to_string(i) + '"');
  browser.socket().reset();
  ASSERT_TRUE(wait_until_closed());
  ASSERT_TRUE(bayeux_.wait_until_waiting(client));
  // The kernel had taken the first ones; from some message on everything is there, in order.
  Browser next = open();
  next.send(connect_message(client));
  std::vector<int> got;
  while (got.empty() || got.back() != 199) {
    const std::string frame = next.receive();
    ASSERT_THAT(frame, StartsWith("text "));
    wire::json::validate(std::string_view(frame).substr(5))
        ->for_each_element([&](const wire::json::Value& element) {
          if (const auto one = element.find("data")) {
            got.push_back(std::stoi(one->as_string().substr(60'000)));
          }
        });
  }
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i], 200 - static_cast<int>(got.size()) + static_cast<int>(i));
  }
}

TEST_F(WebSocketTest, ASessionThatMovesOnTakesWhatTheOldSocketHadNotWritten) {
  core::Realm realm;
  realm.limits.outbox_bytes_max = 100'000'000;
  bayeux_.use(realm);
  Browser older = open();
  const std::string client = new_session(older);
  const std::string data = '"' + std::string(60'000, 'x');
  for (int i = 0; i < 200; ++i) bayeux_.publish("/a", data + std::to_string(i) + '"');
  Browser newer = open();
  newer.send(connect_message(client));
  std::vector<int> got;
  const auto read = [&got](Browser& browser) {
    const std::string frame = browser.receive();
    if (!frame.starts_with("text ")) return false;
    wire::json::validate(std::string_view(frame).substr(5))
        ->for_each_element([&](const wire::json::Value& element) {
          if (const auto one = element.find("data")) {
            got.push_back(std::stoi(one->as_string().substr(60'000)));
          }
        });
    return true;
  };
  while (got.empty() || got.back() != 199) ASSERT_TRUE(read(newer));
  const std::size_t came_newly = got.size();
  // What the older one had been given whole, and nothing of what the newer one brought.
  while (read(older)) {
  }
  std::rotate(got.begin(), got.begin() + static_cast<std::ptrdiff_t>(came_newly), got.end());
  ASSERT_EQ(got.size(), 200U);
  for (int i = 0; i < 200; ++i) EXPECT_EQ(got[static_cast<std::size_t>(i)], i);
}

/// Replies can close a connection that its peer does not read; messages behind them in the same
/// frame must not tie their sessions to it.
TEST_F(WebSocketTest, ASessionNamedAfterTheSocketHasClosedLosesNothing) {
  core::Realm realm;
  realm.limits.outbox_bytes_max = 50'000;
  bayeux_.use(realm);
  Browser browser = open();
  const std::string ann = new_session(browser, "/a");
  const std::string bob = new_session(browser, "/b");
  // Fill the kernel's buffers and the outbox with replies that nobody reads.
  const std::string connects = [&] {
    std::string all = "[";
    const std::string one = connect_message(ann);
    for (int i = 0; i < 400; ++i) all += one.substr(1, one.size() - 2) + ",";
    return all + connect_message(bob).substr(1);
  }();
  std::thread sending([&] {
    for (int i = 0; i < 400; ++i) browser.send(connects);
  });
  const auto has_outlet = [&] {
    return bayeux_.service.find(*bayeux_.realm, *protocol::bayeux::SessionId::parse(bob))
        ->has_outlet();
  };
  // It answers no ping, once all that it sent before has been read.
  bool is_closed = false;
  for (int looks = 0; looks < 50 && !is_closed; ++looks) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    bayeux_.thread.advance(limits_.ping_interval / 2);
    is_closed = !bayeux_.thread.call(has_outlet);
  }
  EXPECT_TRUE(is_closed);
  bayeux_.publish("/b", "1");
  EXPECT_TRUE(bayeux_.wait_until_waiting(bob));
  bayeux_.thread.advance(base::Duration(20'000));
  sending.join();
  EXPECT_THAT(fetch(bob, 1), ElementsAre("1"));
}

TEST_F(WebSocketTest, MessagesThatComeInPartMayTakeOnlySoMuchMemoryTogether) {
  limits_.message_bytes_max = 1'000'000;
  const std::string part = client_frame({.payload = std::string(600'000, ' '), .is_final = false});
  Browser first = open();
  first.socket().send(part + client_frame({.opcode = Opcode::ping}));
  ASSERT_EQ(first.receive(), "pong ");
  Browser second = open();
  second.socket().send(part);
  // Who has held as much, and longest, gives way; the newcomer does not.
  EXPECT_EQ(first.receive(), "close 1013 incoming_bytes_max is reached");
  EXPECT_EQ(first.receive(), "end");
  second.socket().send(client_frame({.opcode = Opcode::continuation, .payload = "[]"}));
  EXPECT_EQ(second.receive(), "text []");
}

TEST_F(WebSocketTest, AMessageThatIsBegunHasToEnd) {
  Browser browser = open();
  browser.socket().send(client_frame({.payload = "[", .is_final = false}) +
                        client_frame({.opcode = Opcode::ping}));
  ASSERT_EQ(browser.receive(), "pong ");
  bayeux_.thread.advance(limits_.message_timeout / 2);
  browser.socket().send(client_frame({.opcode = Opcode::continuation, .is_final = false}) +
                        client_frame({.opcode = Opcode::ping}));
  ASSERT_EQ(browser.receive(), "pong ") << "a byte now and then earns no time";
  bayeux_.thread.advance(limits_.message_timeout / 2 + base::Duration(100));
  EXPECT_EQ(browser.receive(), "close 1008 a message was begun and did not end in time");
}

/// 465 frames brought 250 MB of answers, because all of one read were handled before anybody looked
/// at how much waits.
TEST_F(WebSocketTest, APeerThatDoesNotReadItsRepliesIsNotReadEither) {
  Browser browser = open();
  const std::string ann = new_session(browser, "/a");
  std::string connects = "[" + connect_message(ann, R"(,"advice":{"timeout":0})").substr(1);
  connects.pop_back();
  const std::string one = "," + connects.substr(1);
  for (int i = 1; i < 600; ++i) connects += one;
  connects += "]";
  std::atomic<int> sent = 0;
  std::thread sending([&] {
    for (; sent < 500; ++sent) browser.send(connects);
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(1500));
  EXPECT_LT(sent, 400) << "all of it has been taken";
  EXPECT_LT(bayeux_.thread.call([&] { return bayeux_.exchange.ledger().bytes(); }), 2'000'000U);
  // It reads, and everything goes on where it stopped.
  for (int i = 0; i < 500; ++i) EXPECT_THAT(browser.receive(), StartsWith("text ["));
  sending.join();
}

// ---- Time

TEST_F(WebSocketTest, ASilentPeerIsPingedAndThenGivenUp) {
  Browser browser = open();
  const std::string client = new_session(browser);
  bayeux_.thread.advance(limits_.ping_interval + base::Duration(1'100));
  EXPECT_EQ(browser.receive(), "ping ");
  browser.socket().send(client_frame({.opcode = Opcode::pong}));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  bayeux_.thread.advance(limits_.ping_interval + base::Duration(1'100));
  // The held connect is answered as well by now.
  std::string frame = browser.receive();
  while (frame.starts_with("text ")) frame = browser.receive();
  EXPECT_EQ(frame, "ping ");
  bayeux_.thread.advance(limits_.ping_interval + base::Duration(100));
  EXPECT_TRUE(wait_until_closed());
  bayeux_.publish("/a", "1");
  EXPECT_TRUE(bayeux_.wait_until_waiting(client));
}

TEST_F(WebSocketTest, APeerThatRenewsItsConnectIsNotPinged) {
  Browser browser = open();
  const std::string client = new_session(browser);
  const auto id = *protocol::bayeux::SessionId::parse(client);
  for (int i = 0; i < 4; ++i) {
    browser.send(connect_message(client));
    ASSERT_TRUE(bayeux_.wait_until(
        [&] { return bayeux_.service.find(*bayeux_.realm, id)->holds_connect(); }));
    bayeux_.thread.advance(base::Duration(30'050));
    EXPECT_THAT(browser.receive(), HasSubstr("/meta/connect")) << i;
  }
  bayeux_.publish("/a", "1");
  EXPECT_THAT(browser.receive(), HasSubstr("/a"));
}

TEST_F(WebSocketTest, ASocketThatNeverHadASessionIsClosedLate) {
  Browser browser = open();
  for (int i = 0; i < 19; ++i) {
    bayeux_.thread.advance(base::Duration(31'050));
    ASSERT_EQ(browser.receive(), "ping ") << i;
    browser.socket().send(client_frame({.opcode = Opcode::pong}));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  bayeux_.thread.advance(base::Duration(31'050));
  std::string frame = browser.receive();
  if (frame == "ping ") frame = browser.receive();
  EXPECT_EQ(frame, "close 1000 no session was started");
}

TEST_F(WebSocketTest, APeerThatDoesNotLeaveAfterACloseIsLeft) {
  Browser browser = open();
  bayeux_.thread.call([this] { connections_.front().close(core::kShutdown); });
  bayeux_.thread.advance(base::Duration(2'100));
  EXPECT_TRUE(wait_until_closed());
}

// ---- Sharing and moving

TEST_F(WebSocketTest, SocketsThatGetTheSameShareOneFrame) {
  std::vector<Browser> browsers;
  for (int i = 0; i < 5; ++i) {
    browsers.push_back(open());
    new_session(browsers.back());
  }
  bayeux_.publish("/a", "1");
  for (Browser& browser : browsers) {
    EXPECT_EQ(browser.receive(), R"(text [{"channel":"/a","data":1}])");
  }
}

class TwoWebSocketWorkersTest : public WebSocketTest {
 protected:
  // A second exchange that only has to be there: the id of its sessions says "elsewhere".
  TwoWebSocketWorkersTest() {
    bayeux_.thread.call([this] { bayeux_.exchange.meet({&bayeux_.exchange, &bayeux_.exchange}); });
  }
  /// As the other worker does it; this one does for the test. On the loop's thread.
  void resume_here() {
    bayeux_.exchange.meet({&bayeux_.exchange});
    Moving& moving = moved_.front().second;
    const ConnectionPtr connection(
        new Connection(context_, net::Socket(bayeux_.thread.loop, std::move(moving.socket)),
                       moving.realm, moving.compression));
    connections_.push_back(*connection);
    connection->resume(std::move(moving));
  }
};

TEST_F(TwoWebSocketWorkersTest, LetsGoOfASocketWhoseSessionLivesElsewhere) {
  Browser browser = open();
  const std::string elsewhere = "01" + std::string(26, '0');
  const std::string behind = client_frame({.payload = "[]"});
  browser.socket().send(client_frame({.payload = connect_message(elsewhere)}) + behind);
  ASSERT_TRUE(bayeux_.wait_until([this] { return moved_.size() == 1; }));
  bayeux_.thread.call([&] {
    EXPECT_TRUE(connections_.empty());
    auto& [worker, moving] = moved_.front();
    EXPECT_EQ(worker, core::WorkerIndex(1));
    EXPECT_EQ(moving.message, connect_message(elsewhere));
    resume_here();
  });
  EXPECT_THAT(browser.receive(), HasSubstr("Unknown client"));
  EXPECT_EQ(browser.receive(), "text []");
}

TEST_F(TwoWebSocketWorkersTest, AnswersOfTheSameReadTravelAlong) {
  Browser browser = open();
  browser.socket().send(client_frame({.payload = "[]"}) +
                        client_frame({.payload = connect_message("01" + std::string(26, '0'))}));
  ASSERT_TRUE(bayeux_.wait_until([this] { return moved_.size() == 1; }));
  bayeux_.thread.call([&] { resume_here(); });
  EXPECT_EQ(browser.receive(), "text []");
  EXPECT_THAT(browser.receive(), HasSubstr("Unknown client"));
}

TEST_F(TwoWebSocketWorkersTest, AConnectThatIsHeldIsAnsweredBeforeItsSocketServesOthers) {
  Browser browser = open();
  const std::string client = new_session(browser);
  const auto id = *protocol::bayeux::SessionId::parse(client);
  browser.send(connect_message(client));
  ASSERT_TRUE(bayeux_.wait_until(
      [&] { return bayeux_.service.find(*bayeux_.realm, id)->holds_connect(); }));
  browser.send(subscribe_message("01" + std::string(26, '0'), "/x"));
  ASSERT_TRUE(bayeux_.wait_until([this] { return moved_.size() == 1; }));
  bayeux_.thread.call([&] {
    EXPECT_FALSE(bayeux_.service.find(*bayeux_.realm, id)->holds_connect());
    resume_here();
  });
  EXPECT_THAT(browser.receive(), HasSubstr("/meta/connect"));
  EXPECT_THAT(browser.receive(), HasSubstr("Unknown client"));
}

#ifdef FANFARE_FAULTS
// ---- What throws

class WebSocketFaultTest : public WebSocketTest {
 protected:
  ~WebSocketFaultTest() override { base::faults::throw_at(0); }
};

/// The sessions of the socket that threw must not know it any more: the next publication would be
/// written to what is not there.
TEST_F(WebSocketFaultTest, AMessageThatThrowsEndsTheSocketAndItsSessionsWait) {
  Browser browser = open();
  const std::string ann = new_session(browser);
  const std::string bob = new_session(browser);
  base::faults::throw_at_place("the parsing of messages");
  browser.send(R"([{"channel":"/elsewhere","data":1}])");
  EXPECT_EQ(browser.receive(), "end");
  EXPECT_TRUE(wait_until_closed());
  bayeux_.publish("/a", "1");
  EXPECT_THAT(fetch(ann, 1), ElementsAre("1"));
  EXPECT_THAT(fetch(bob, 1), ElementsAre("1"));
}

// Replies to what one read brought are batched in a place that all connections share.
TEST_F(WebSocketFaultTest, RepliesOfASocketThatThrewDoNotGoToTheNext) {
  Browser first = open();
  base::faults::throw_at_place("the parsing of messages");
  first.socket().send(client_frame({.opcode = Opcode::ping, .payload = "of the first"}) +
                      client_frame({.payload = "[]"}));
  EXPECT_EQ(first.receive(), "end");
  Browser second = open();
  second.send(R"([{"channel":"/y"}])");
  EXPECT_THAT(second.receive(), HasSubstr("/y"));
}

TEST_F(WebSocketFaultTest, AMessageWithoutAnAnswerClosesTheSocketWithTheReasonFirst) {
  Browser browser = open();
  base::faults::throw_at_place("a message");
  browser.send(R"([{"channel":"/x"}])");
  EXPECT_EQ(browser.receive(), "close 1011 internal error");
  EXPECT_EQ(browser.receive(), "end");
}

/// Whether it is the turn that throws, or what is done in it: the socket ends, and its sessions
/// wait.
TEST_F(WebSocketFaultTest, ASocketThatThrowsInItsTurnEnds) {
  for (const char* place : {"somebody who had to wait", "a WebSocket that had to wait"}) {
    Browser browser = open();
    const std::string ann = new_session(browser);
    base::faults::throw_at_place(place);
    std::string frames;
    for (int i = 0; i < 4000; ++i) frames += client_frame({.payload = R"([{"channel":"/x"}])"});
    browser.socket().send(frames);
    while (browser.receive() != "end") {
    }
    EXPECT_TRUE(wait_until_closed());
    EXPECT_STREQ(base::faults::thrown_at(), place);
    base::faults::throw_at(0);
    bayeux_.publish("/a", "1");
    EXPECT_THAT(fetch(ann, 1), ElementsAre("1"));
  }
}

TEST_F(WebSocketFaultTest, AFrameThatThrowsEndsTheSocket) {
  Browser browser = open();
  base::faults::throw_at_place("the reading of a frame");
  browser.send("[]");
  EXPECT_EQ(browser.receive(), "end");
  EXPECT_TRUE(wait_until_closed());
}
#endif

}  // namespace
}  // namespace fanfare::transport::websocket
