#include "net/listener.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/loop_thread.hpp"
#include "support/client_socket.hpp"

namespace fanfare::net {
namespace {

using testing::HasSubstr;

TEST(AddressTest, PutsBracketsAroundIpv6) {
  EXPECT_EQ((Address{"127.0.0.1", 8400}).text(), "127.0.0.1:8400");
  EXPECT_EQ((Address{"::1", 8400}).text(), "[::1]:8400");
}

TEST(ListenerTest, OpensOneDescriptorPerWorkerOnOneRealPort) {
  Address address{"127.0.0.1", 0};
  const auto opened = open_listeners(address, 3);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->size(), 3U);
  EXPECT_NE(address.port, 0);
  for (const int descriptor : *opened) ::close(descriptor);
}

TEST(ListenerTest, TakesLocalhostAndIpv6) {
  for (const auto* host : {"localhost", "::1"}) {
    Address address{host, 0};
    const auto opened = open_listeners(address, 1);
    ASSERT_TRUE(opened) << host << opened.error().detail;
    ::close(opened->front());
  }
}

TEST(ListenerTest, RefusesWhatIsNoAddress) {
  for (const auto* host : {"example.com", "", "300.1.1.1", "127.0.0.1:80"}) {
    Address address{host, 0};
    const auto opened = open_listeners(address, 1);
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().detail, HasSubstr("is not an IP address"));
  }
}

// SO_REUSEPORT would let two servers share a port, each with half of the visitors.
TEST(ListenerTest, RefusesAPortOnWhichSomebodyListens) {
  Address first{"127.0.0.1", 0};
  const auto opened = open_listeners(first, 2);
  ASSERT_TRUE(opened);
  Address second = first;
  const auto refused = open_listeners(second, 1);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, HasSubstr(first.text() + " is in use"));
  for (const int descriptor : *opened) ::close(descriptor);
  const auto again = open_listeners(second, 1);
  ASSERT_TRUE(again);
  ::close(again->front());
}

TEST(ListenerTest, AcceptsUntilItIsClosed) {
  Address address{"127.0.0.1", 0};
  const auto opened = open_listeners(address, 1);
  ASSERT_TRUE(opened);
  LoopThread thread;
  std::vector<Socket> sockets;
  std::unique_ptr<Listener> listener;
  thread.call([&] {
    listener = std::make_unique<Listener>(thread.loop, opened->front(), false, [&](Socket socket) {
      sockets.push_back(std::move(socket));
    });
    listener->start();
  });
  std::vector<ClientSocket> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(ClientSocket::connect_to(address.port));
    ASSERT_TRUE(clients.back().is_open());
  }
  for (int i = 0; i < 500 && thread.call([&] { return sockets.size(); }) < 100; ++i)
    ::usleep(10'000);
  EXPECT_EQ(thread.call([&] { return sockets.size(); }), 100U);
  thread.call([&] { listener->close(); });
  EXPECT_FALSE(ClientSocket::connect_to(address.port).is_open());
  thread.call([&] {
    sockets.clear();
    listener.reset();
  });
  for (ClientSocket& client : clients) EXPECT_EQ(client.receive(), "");
}

// SO_REUSEPORT would go on feeding a listener that has stopped.
TEST(ListenerTest, GoesOnAcceptingWhenOneThrowsAndClosesThatOne) {
  Address address{"127.0.0.1", 0};
  const auto opened = open_listeners(address, 1);
  ASSERT_TRUE(opened);
  LoopThread thread;
  std::vector<Socket> sockets;
  std::unique_ptr<Listener> listener;
  thread.call([&] {
    listener = std::make_unique<Listener>(thread.loop, opened->front(), false,
                                          [&, count = 0](Socket socket) mutable {
                                            if (count++ == 0)
                                              throw std::runtime_error("expected in this test");
                                            sockets.push_back(std::move(socket));
                                          });
    listener->start();
  });
  EXPECT_EQ(ClientSocket::connect_to(address.port).receive(), "");
  const ClientSocket second = ClientSocket::connect_to(address.port);
  for (int i = 0; i < 500 && thread.call([&] { return sockets.empty(); }); ++i) ::usleep(10'000);
  EXPECT_EQ(thread.call([&] { return sockets.size(); }), 1U);
  thread.call([&] {
    sockets.clear();
    listener.reset();
  });
}

}  // namespace
}  // namespace fanfare::net
