#include "net/socket.hpp"

#include <array>
#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "net/loop_thread.hpp"
#include "net/loopback.hpp"

namespace fanfare::net {
namespace {

using State = Socket::State;

/// How often somebody was told.
struct Told {
  std::atomic<int> readable{0};
  std::atomic<int> writable{0};
  std::atomic<int> failed{0};
};

/// Lives on the loop's thread only, as its count is for one thread.
class Watcher final : public Readiness {
 public:
  explicit Watcher(Told& told, bool throws = false) : told_(told), throws_(throws) {}

 private:
  void on_readable() override {
    ++told_.readable;
    if (throws_) throw std::runtime_error("expected in this test");
  }
  void on_writable() override { ++told_.writable; }
  void on_failed() noexcept override { ++told_.failed; }
  Told& told_;
  bool throws_;
};

class SocketTest : public ::testing::Test {
 protected:
  SocketTest() {
    auto [descriptor, client] = loopback_connection();
    client_ = std::move(client);
    socket_.emplace(thread_.loop, Socket::Released{Descriptor(descriptor), false, {}});
  }
  ~SocketTest() override {
    thread_.stop();  // its handlers hold the watcher
    socket_.reset();
  }

  Socket::Outcome read(std::span<char> into) {
    return thread_.call([&] { return socket_->read(into); });
  }
  Socket::Outcome write(std::span<const iovec> parts) {
    return thread_.call([&] { return socket_->write(parts); });
  }
  static iovec part(std::string& text) { return {text.data(), text.size()}; }
  static void wait_until(const std::atomic<int>& count, int value) {
    for (int i = 0; i < 500 && count < value; ++i) ::usleep(10'000);
  }
  void wait_readable() {
    thread_.call([&] { socket_->wait_readable(new Watcher(told_)); });
  }

  Told told_;
  LoopThread thread_;
  ClientSocket client_;
  std::optional<Socket> socket_;
  std::array<char, 1024> buffer_{};
};

TEST_F(SocketTest, SaysThatThereIsNothingYet) {
  EXPECT_EQ(read(buffer_).state, State::would_block);
}

TEST_F(SocketTest, ReadsWhatCameAndThenThatThePeerLeft) {
  wait_readable();
  EXPECT_EQ(told_.readable, 0);
  client_.send("hello");
  wait_until(told_.readable, 1);
  const auto outcome = read(buffer_);
  EXPECT_EQ(outcome.state, State::open);
  EXPECT_EQ(std::string(buffer_.data(), outcome.bytes), "hello");
  client_.stop_sending();
  wait_readable();
  wait_until(told_.readable, 2);
  EXPECT_EQ(read(buffer_).state, State::peer_left);
}

TEST_F(SocketTest, TellsOnceForEachTimeItIsAsked) {
  client_.send("hello");
  wait_readable();
  wait_until(told_.readable, 1);
  client_.send("more");
  ::usleep(20'000);
  EXPECT_EQ(told_.readable, 1);
}

TEST_F(SocketTest, TellsWhoeverThrewThatItFailed) {
  thread_.call([&] { socket_->wait_readable(new Watcher(told_, /*throws=*/true)); });
  client_.send("hello");
  wait_until(told_.failed, 1);
  EXPECT_EQ(told_.failed, 1);
  wait_readable();  // and the loop goes on
  wait_until(told_.readable, 2);
  EXPECT_EQ(told_.readable, 2);
}

TEST_F(SocketTest, ClosesWhenItIsLostBetweenTwoLoops) {
  thread_.call([&] { static_cast<void>(socket_->release()); });
  EXPECT_EQ(client_.receive(), "");
}

TEST_F(SocketTest, SaysThatTheConnectionBroke) {
  wait_readable();
  client_.reset();
  wait_until(told_.readable, 1);
  EXPECT_EQ(read(buffer_).state, State::failed);
  std::string text = "x";
  const std::array parts{part(text)};
  EXPECT_EQ(write(parts).state, State::failed);
}

TEST_F(SocketTest, WritesPartsInOneGo) {
  std::string one = "one ";
  std::string two = "two";
  const std::array parts{part(one), part(two)};
  EXPECT_EQ(write(parts).bytes, 7U);
  EXPECT_EQ(client_.receive_exactly(7), "one two");
}

TEST_F(SocketTest, WritesWhatFitsAndTellsWhenThereIsRoomAgain) {
  std::string much(8'000'000, 'x');
  const std::array parts{part(much)};
  const std::size_t written = write(parts).bytes;
  EXPECT_GT(written, 0U);
  EXPECT_LT(written, much.size());
  EXPECT_EQ(write(parts).state, State::would_block);
  thread_.call([&] { socket_->wait_writable(new Watcher(told_)); });
  client_.receive_exactly(written);
  wait_until(told_.writable, 1);
  EXPECT_EQ(told_.writable, 1);
}

TEST_F(SocketTest, StopsSendingAndStillReads) {
  thread_.call([&] { socket_->shut_down_sending(); });
  EXPECT_EQ(client_.receive(), "");
  client_.send("late");
  ::usleep(20'000);
  EXPECT_EQ(read(buffer_).bytes, 4U);
}

TEST_F(SocketTest, ClosingCancelsWaitsAndLetsGoOfTheWatcher) {
  wait_readable();
  thread_.call([&] {
    socket_->close();
    socket_->close();
  });
  EXPECT_EQ(client_.receive(), "");
  thread_.call([] {});
  EXPECT_EQ(told_.readable, 0);
  EXPECT_FALSE(thread_.call([&] { return socket_->is_open(); }));
}

TEST_F(SocketTest, MovesToAnotherLoopWithEverythingUnread) {
  client_.send("for the other");
  LoopThread other;
  auto released = thread_.call([&] { return socket_->release(); });
  EXPECT_FALSE(released.is_v6);
  std::optional<Socket> moved;
  const auto outcome = other.call([&] {
    moved.emplace(other.loop, std::move(released));
    return moved->read(buffer_);
  });
  EXPECT_EQ(std::string(buffer_.data(), outcome.bytes), "for the other");
  other.stop();
  moved.reset();
}

TEST_F(SocketTest, KnowsItsPeer) {
  EXPECT_EQ(thread_.call([&] { return socket_->peer_address(); }), "127.0.0.1");
  EXPECT_EQ(thread_.call([&] { return socket_->peer_network(); }), "127.0.0.1");
}

TEST_F(SocketTest, CountsAnIPv6VisitorByHisNetworkAndAMappedAddressAsIPv4) {
  thread_.call([&] {
    socket_->set_visitor(base::IpAddress::parse("2001:db8:1:2:3:4:5:6"));
    EXPECT_EQ(socket_->peer_address(), "2001:db8:1:2:3:4:5:6");
    EXPECT_EQ(socket_->peer_network(), "2001:db8:1:2::/64");
    socket_->set_visitor(base::IpAddress::parse("::ffff:1.2.3.4"));
    EXPECT_EQ(socket_->peer_network(), "1.2.3.4");
  });
}

TEST_F(SocketTest, GoesBackToItsPeerWhenItSpeaksForNobody) {
  thread_.call([&] {
    socket_->set_visitor(base::IpAddress::parse("192.0.2.1"));
    socket_->set_visitor(std::nullopt);
    EXPECT_EQ(socket_->peer_network(), "127.0.0.1");
    socket_->set_peer(*base::IpAddress::parse("192.0.2.2"));
    socket_->set_visitor(base::IpAddress::parse("192.0.2.1"));
    EXPECT_EQ(socket_->peer()->text(), "192.0.2.2");
    EXPECT_EQ(socket_->peer_network(), "192.0.2.1");
    socket_->set_visitor(std::nullopt);
    EXPECT_EQ(socket_->peer_network(), "192.0.2.2");
  });
}

TEST_F(SocketTest, TakesWhoItsPeerIsAlongToAnotherLoop) {
  LoopThread other;
  auto released = thread_.call([&] {
    socket_->set_peer(*base::IpAddress::parse("192.0.2.2"));
    socket_->set_visitor(base::IpAddress::parse("192.0.2.1"));
    return socket_->release();
  });
  std::optional<Socket> moved;
  other.call([&] {
    moved.emplace(other.loop, std::move(released));
    EXPECT_EQ(moved->peer()->text(), "192.0.2.2");
    EXPECT_EQ(moved->peer_address(), "192.0.2.1");
  });
  other.stop();
  moved.reset();
}

TEST_F(SocketTest, NamesNobodyOnceItIsClosed) {
  thread_.call([&] {
    socket_->close();
    EXPECT_EQ(socket_->peer(), std::nullopt);
    EXPECT_EQ(socket_->peer_address(), "");
    EXPECT_EQ(socket_->peer_network(), "");
  });
}

TEST_F(SocketTest, LooksAtBytesWithoutTakingThem) {
  client_.send("hello");
  wait_readable();
  wait_until(told_.readable, 1);
  for (int i = 0; i < 2; ++i) {
    const auto outcome = thread_.call([&] { return socket_->peek(buffer_); });
    EXPECT_EQ(std::string(buffer_.data(), outcome.bytes), "hello");
  }
  EXPECT_EQ(read(buffer_).bytes, 5U);
  EXPECT_EQ(thread_.call([&] { return socket_->peek(buffer_); }).state, State::would_block);
}

TEST_F(SocketTest, KnowsOfAResetThatAReadHid) {
  EXPECT_FALSE(thread_.call([&] { return socket_->has_error(); }));
  std::string text = "never read";
  const std::array parts{part(text)};
  write(parts);
  client_.reset();
  ::usleep(20'000);
  EXPECT_TRUE(thread_.call([&] { return socket_->has_error(); }));
}

TEST_F(SocketTest, IsCountedUntilItIsClosed) {
  std::atomic<std::size_t> open{0};
  thread_.call([&] { socket_->count(base::Counted(open)); });
  EXPECT_EQ(open, 1U);
  thread_.call([&] { socket_->close(); });
  EXPECT_EQ(open, 0U);
}

}  // namespace
}  // namespace fanfare::net
