#include "transport/proxy/arrival.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fault.hpp"
#include "net/loop_thread.hpp"
#include "net/loopback.hpp"

namespace fanfare::transport::proxy {
namespace {

using namespace std::string_view_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr auto kLine = "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n"sv;
constexpr auto kLocalBlock = "\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00"sv;

/// One connection over 127.0.0.1 that has just been accepted.
class ArrivalTest : public ::testing::Test {
 protected:
  ArrivalTest() {
    auto [descriptor, client] = net::loopback_connection();
    client_ = std::move(client);
    thread_.call([&, accepted = descriptor] {
      const ArrivalPtr arrival(
          new Arrival(context_, net::Socket(thread_.loop, {net::Descriptor(accepted), false, {}})));
      arrivals_.push_back(*arrival);
      arrival->start();
    });
  }
  ~ArrivalTest() override {
    thread_.call([&] {
      arrived_.reset();
      while (!arrivals_.empty()) arrivals_.front().abort();
    });
    thread_.stop();
  }

  /// Sends all, piece by piece, each of which the server has looked at before the next one comes.
  void send_in_pieces(std::string_view bytes, std::size_t piece) {
    for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
      client_.send(bytes.substr(0, piece));
      ::usleep(1'000);
      thread_.call([] {});
    }
  }
  /// What stands first on the connection that arrived, or why it did not.
  std::string first_bytes() {
    for (int i = 0; i < 500; ++i) {
      const auto bytes = thread_.call([&]() -> std::optional<std::string> {
        if (!refused_.empty()) return "refused";
        if (!arrived_) return std::nullopt;
        const auto outcome = arrived_->read(buffer_);
        if (outcome.state != net::Socket::State::open) return std::nullopt;
        return std::string(buffer_.data(), outcome.bytes);
      });
      if (bytes) return *bytes;
      ::usleep(10'000);
    }
    return "nothing";
  }
  std::string peer() {
    return thread_.call([&] { return arrived_->peer_address(); });
  }
  bool is_waiting() {
    return thread_.call([&] { return !arrivals_.empty(); });
  }
  std::vector<std::string> refused() {
    return thread_.call([&] { return refused_; });
  }

  std::array<char, 4096> scratch_{};
  std::array<char, 4096> buffer_{};
  std::optional<net::Socket> arrived_;
  std::vector<std::string> refused_;
  boost::intrusive::list<Arrival, boost::intrusive::base_hook<ArrivalHook>,
                         boost::intrusive::constant_time_size<false>>
      arrivals_;
  net::LoopThread thread_;
  ArrivalContext context_{thread_.loop, base::Duration(2'000), scratch_,
                          [this](net::Socket socket) { arrived_.emplace(std::move(socket)); },
                          [this](std::string_view why) { refused_.emplace_back(why); }};
  ClientSocket client_;
};

TEST_F(ArrivalTest, HandsTheConnectionOnWithTheVisitorsFirstByteUnread) {
  client_.send(std::string(kLine) + "GET / HTTP/1.1\r\n");
  EXPECT_EQ(first_bytes(), "GET / HTTP/1.1\r\n");
  EXPECT_EQ(peer(), "192.0.2.1");
  EXPECT_FALSE(is_waiting());
}

TEST_F(ArrivalTest, PutsAHeaderTogetherThatComesInPieces) {
  send_in_pieces(std::string(kLine) + "GET", 1);
  EXPECT_EQ(peer(), "192.0.2.1");
  EXPECT_EQ(first_bytes(), "GET");
}

TEST_F(ArrivalTest, KeepsThePeerOfAProxyThatSpeaksForItself) {
  client_.send(std::string(kLocalBlock) + "GET");
  EXPECT_EQ(first_bytes(), "GET");
  EXPECT_EQ(peer(), "127.0.0.1");
}

TEST_F(ArrivalTest, WaitsQuietlyForTheRestOfAHeader) {
  send_in_pieces(kLine.substr(0, 10), 5);
  EXPECT_TRUE(is_waiting());
  EXPECT_THAT(refused(), IsEmpty());
}

TEST_F(ArrivalTest, ClosesAConnectionWithoutAHeaderAndWithoutAnAnswer) {
  client_.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client_.receive_all(), "");
  EXPECT_THAT(refused(), ElementsAre(HasSubstr("no PROXY header")));
  EXPECT_FALSE(is_waiting());
  EXPECT_FALSE(arrived_);
}

TEST_F(ArrivalTest, ClosesAConnectionWhoseHeaderBreaksOff) {
  send_in_pieces("PROXY TCP4 192.0.2.1 rubbish\r\n", 8);
  EXPECT_EQ(client_.receive_all(), "");
  EXPECT_THAT(refused(), ElementsAre(HasSubstr("broken")));
}

TEST_F(ArrivalTest, ClosesAConnectionWhoseHeaderDoesNotComeInTime) {
  send_in_pieces(kLine.substr(0, 10), 10);
  thread_.advance(base::Duration(1'000));
  send_in_pieces(kLine.substr(10, 1), 1);  // a byte now and then gains nothing
  thread_.advance(base::Duration(1'100));
  EXPECT_EQ(client_.receive_all(), "");
  EXPECT_THAT(refused(), ElementsAre(HasSubstr("header_timeout")));
}

TEST_F(ArrivalTest, SaysNothingOfAProxyThatOnlyLooksWhetherWeAreThere) {
  client_.stop_sending();
  EXPECT_EQ(client_.receive_all(), "");
  EXPECT_THAT(refused(), IsEmpty());
  EXPECT_FALSE(is_waiting());
}

TEST_F(ArrivalTest, EndsWhenItIsToldTo) {
  client_.send(kLine.substr(0, 10));
  thread_.call([&] { arrivals_.front().abort(); });
  EXPECT_EQ(client_.receive_all(), "");
  thread_.advance(base::Duration(10'000));
  EXPECT_THAT(refused(), IsEmpty());
}

#ifdef FANFARE_FAULTS
TEST_F(ArrivalTest, ClosesWhenItThrows) {
  base::faults::throw_at_place("the PROXY header of a connection");
  client_.send(kLine);
  EXPECT_EQ(client_.receive_all(), "");
  thread_.call([&] { EXPECT_TRUE(arrivals_.empty()); });
  base::faults::throw_at(0);
}
#endif

}  // namespace
}  // namespace fanfare::transport::proxy
