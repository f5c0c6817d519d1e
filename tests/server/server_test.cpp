#include "server/server.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/client_socket.hpp"
#include "support/running_server.hpp"

namespace fanfare::server {
namespace {

using testing::HasSubstr;

// ---- One at a time

TEST(ServerTest, SaysWhereItListensAndThatItIsWell) {
  RunningServer server(2);
  ClientSocket socket = ClientSocket::connect_to(server.port());
  socket.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(socket.receive_answer().body, "ok\n");
}

TEST(ServerTest, RefusesAnAddressThatIsInUseAndListensOnNone) {
  RunningServer server(1);
  Config second = config(2);
  second.listen = {{"127.0.0.1", 0}, {"127.0.0.1", server.port()}};
  const auto refused = Server::start(second, {realm("site")});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, HasSubstr("in use"));
}

TEST(ServerTest, StopsWithoutHavingRun) {
  const auto server = Server::start(config(2), {realm("site")});
  ASSERT_TRUE(server);
}

TEST(ServerTest, SessionsLiveOnBothWorkersAndAreFoundFromEither) {
  RunningServer server(2);
  std::set<std::string> workers;
  for (int i = 0; i < 40 && workers.size() < 2; ++i) {
    PollingClient client(server.port(), /*is_restless=*/true);
    workers.insert(worker_of(client.id));
    for (int call = 0; call < 4; ++call) {
      EXPECT_THAT(client.call(subscribe(client.id, R"("/a")")), HasSubstr(R"("successful":true)"));
    }
  }
  EXPECT_EQ(workers.size(), 2U);
}

TEST(ServerTest, RealmsOnTheSameWorkersHearNothingOfEachOther) {
  RunningServer server(2, {realm("site"), realm("other")});
  ClientSocket socket = ClientSocket::connect_to(server.port());
  const auto call = [&socket](std::string_view messages) {
    socket.send(post_request("/r/other/bayeux", messages));
    return socket.receive_answer().body;
  };
  const std::string client = client_id_in(call(kHandshake));
  call(connect(client));
  EXPECT_THAT(call(subscribe(client, R"("/**")")), HasSubstr(R"("successful":true)"));
  Publisher publisher(server.port());
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(publisher.publish("c" + std::to_string(i), "1"));
  EXPECT_THAT(call(connect(client, R"(,"advice":{"timeout":0})")), testing::Not(HasSubstr("data")));
}

// ---- Requests that were sent ahead. Answering one from the middle of something must not carry the
// next one out there: it may end the very session that is being served.

TEST(ServerTest, ADisconnectSentAheadOfAHeldConnectsAnswerHarmsNobody) {
  RunningServer server(1);
  for (int i = 0; i < 3; ++i) {
    PollingClient client(server.port(), /*is_restless=*/false);
    client.call(subscribe(client.id, R"("/a")"));
    ClientSocket socket = ClientSocket::connect_to(server.port());
    socket.send(
        post_request("/bayeux", connect(client.id, R"(,"advice":{"timeout":300})")) +
        post_request("/bayeux", fmt::format(R"([{{"channel":"/meta/disconnect","clientId":"{}"}}])",
                                            client.id)));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));  // until it is held
    if (i == 1) {
      EXPECT_TRUE(Publisher(server.port()).publish("a", "1"));
    } else if (i == 2) {
      client.call(connect(client.id, R"(,"advice":{"timeout":0})"));  // supersedes
    }
    EXPECT_EQ(socket.receive_answer().status(), i == 2 ? 500 : 200);
    EXPECT_THAT(socket.receive_answer().body, HasSubstr("/meta/disconnect"));
  }
}

TEST(ServerTest, HandshakesSentAheadDoNotDisturbTheEnd) {
  RunningServer server(1);
  std::string handshakes = "[";
  for (int i = 0; i < 20; ++i) {
    if (i > 0) handshakes += ',';
    handshakes += kHandshake.substr(1, kHandshake.size() - 2);
  }
  std::vector<ClientSocket> sockets;
  for (int i = 0; i < 10; ++i) {
    PollingClient client(server.port(), /*is_restless=*/false);
    sockets.push_back(ClientSocket::connect_to(server.port()));
    sockets.back().send(post_request("/bayeux", connect(client.id)) +
                        post_request("/bayeux", handshakes + "]"));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  server.stop();
  for (ClientSocket& socket : sockets) EXPECT_EQ(socket.receive_answer().status(), 200);
}

TEST(ServerTest, EventStreamsOfPeersThatResetAtOnceHarmNobody) {
  RunningServer server(2);
  PollingClient client(server.port(), /*is_restless=*/false);
  for (int i = 0; i < 100; ++i) {
    ClientSocket socket = ClientSocket::connect_to(server.port());
    socket.send("GET /bayeux/" + client.id +
                " HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n");
    socket.reset();
  }
  client.call(subscribe(client.id, R"("/a")"));
  EXPECT_TRUE(Publisher(server.port()).publish("a", "1"));
  while (client.inbox.count == 0) ASSERT_FALSE(client.call(connect(client.id)).empty());
}

// ---- All at once

/// Goal: publishers, pollers and WebSockets on both workers, all at the same time, get what they
/// were promised: per channel every publication, in the order in which it was accepted, once.
/// Method: 3 threads publish on a channel each, waiting for every answer, so that the order is
/// theirs; 3 clients that poll (two of them on a new connection each time, so that connections move
/// between workers) and 3 on WebSockets listen by names and patterns.
TEST(WorkersTest, DeliverEverythingInOrderAndOnceUnderLoad) {
  constexpr int kPublications = 150;
  const std::vector<std::string> channels{"/load/a", "/load/b", "/load/c"};
  const std::vector<std::string> subscriptions{R"(["/load/a","/load/b","/load/c"])", R"("/load/*")",
                                               R"(["/**","/load/a"])"};
  RunningServer server(2);
  const std::size_t due = channels.size() * kPublications;
  std::atomic<int> ready{0};
  std::atomic<bool> goes{false};
  std::vector<Inbox> inboxes(6);
  std::vector<std::thread> clients;
  for (std::size_t i = 0; i < 3; ++i) {
    clients.emplace_back([&, i] {
      PollingClient client(server.port(), /*is_restless=*/i > 0);
      client.call(subscribe(client.id, subscriptions[i]));
      ++ready;
      const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
      while (client.inbox.count < due && std::chrono::steady_clock::now() < end) {
        if (client.call(connect(client.id)).empty()) break;
      }
      inboxes[i] = std::move(client.inbox);
    });
    clients.emplace_back([&, i] {
      WebSocketClient client(server);
      const std::string id = client_id_in(client.call(kHandshake, "/meta/handshake"));
      client.call(subscribe(id, subscriptions[i]), "/meta/subscribe");
      client.send(connect(id));
      ++ready;
      while (client.inbox.count < due) {
        const std::string text = client.receive();
        if (text.empty()) break;
        if (text.find("/meta/connect") != std::string::npos) client.send(connect(id));
      }
      inboxes[3 + i] = std::move(client.inbox);
    });
  }
  std::vector<std::thread> publishers;
  std::atomic<int> refused{0};
  for (const std::string& channel : channels) {
    publishers.emplace_back([&, channel] {
      while (!goes) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      Publisher publisher(server.port());
      for (int i = 0; i < kPublications; ++i) {
        if (!publisher.publish(channel.substr(1), std::to_string(i))) ++refused;
      }
    });
  }
  for (int waited = 0; ready < 6 && waited < 1000; ++waited) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ASSERT_EQ(ready, 6);
  goes = true;
  for (std::thread& publisher : publishers) publisher.join();
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(refused, 0);

  std::vector<std::string> expected;
  for (int i = 0; i < kPublications; ++i) expected.push_back(std::to_string(i));
  for (std::size_t i = 0; i < inboxes.size(); ++i) {
    for (const std::string& channel : channels) {
      EXPECT_EQ(inboxes[i].by_channel[channel], expected) << "client " << i << " on " << channel;
    }
  }
}

/// Goal: a WebSocket that brings its session's id to the wrong worker is moved there with all it
/// has sent, and nothing is lost on the way.
TEST(WorkersTest, AWebSocketMovesToItsSessionWithWhatItHasSentAhead) {
  RunningServer server(2);
  std::set<std::string> workers;
  for (int i = 0; i < 60 && (workers.size() < 2 || i < 20); ++i) {
    PollingClient poller(server.port(), /*is_restless=*/true);
    workers.insert(worker_of(poller.id));
    WebSocketClient client(server);
    ASSERT_TRUE(client.is_open);
    client.send(connect(poller.id));
    client.send(subscribe(poller.id, R"("/a")"));
    client.send(fmt::format(R"([{{"channel":"/a","data":1,"clientId":"{}"}}])", poller.id));
    while (client.inbox.count == 0) ASSERT_FALSE(client.receive().empty());
    EXPECT_EQ(client.inbox.by_channel["/a"], std::vector<std::string>{"1"});
  }
  EXPECT_EQ(workers.size(), 2U);
}

TEST(WorkersTest, SessionsMoveBetweenTransportsAndWorkersAndLoseNothing) {
  constexpr int kPublications = 200;
  RunningServer server(2);
  PollingClient client(server.port(), /*is_restless=*/true);
  client.call(subscribe(client.id, R"("/a")"));
  std::thread publishing([&server] {
    Publisher publisher(server.port());
    for (int i = 0; i < kPublications; ++i) publisher.publish("a", std::to_string(i));
  });
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (client.inbox.count < kPublications && std::chrono::steady_clock::now() < end) {
    client.call(connect(client.id, R"(,"advice":{"timeout":20})"));
    // The socket closes only after it has read an answer that comes behind all deliveries to it.
    WebSocketClient socket(server);
    socket.inbox = std::move(client.inbox);
    socket.call(subscribe(client.id, R"("/b")"), "/meta/subscribe");
    client.inbox = std::move(socket.inbox);
    client.call(connect(client.id, R"(,"advice":{"timeout":20})"));
    ASSERT_TRUE(socket.is_open);
    // What went down the socket before the poll displaced it.
    socket.inbox = std::move(client.inbox);
    socket.call("[]", "[]");
    client.inbox = std::move(socket.inbox);
  }
  publishing.join();
  std::vector<std::string> got = client.inbox.by_channel["/a"];
  // A poll may be read before the frames that were written before it.
  std::ranges::sort(got, {}, [](const std::string& text) { return std::stoi(text); });
  std::vector<std::string> expected;
  for (int i = 0; i < kPublications; ++i) expected.push_back(std::to_string(i));
  EXPECT_EQ(got, expected);
}

/// Goal: stopping in the middle of everything ends, tells everybody, and touches nothing that is
/// gone.
TEST(WorkersTest, DrainWhileBusy) {
  const std::ptrdiff_t descriptors = open_descriptors();
  auto running = std::make_unique<RunningServer>(2);
  RunningServer& server = *running;
  const std::uint16_t port = server.port();  // for threads that outlive it
  std::vector<std::thread> threads;
  std::atomic<int> accepted{0};
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&, i] {
      Publisher publisher(port);
      while (publisher.publish("drain/" + std::to_string(i), "1")) ++accepted;
    });
  }
  std::vector<WebSocketClient> sockets;
  for (int i = 0; i < 6; ++i) {
    sockets.emplace_back(server);
    const std::string id = client_id_in(sockets.back().call(kHandshake, "/meta/handshake"));
    sockets.back().call(subscribe(id, R"("/drain/*")"), "/meta/subscribe");
    sockets.back().send(connect(id));
  }
  for (WebSocketClient& socket : sockets) {
    threads.emplace_back([&socket] {
      while (!socket.receive().empty()) {
      }
    });
  }
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      PollingClient client(port, /*is_restless=*/true);
      client.call(subscribe(client.id, R"("/**")"));
      while (!client.call(connect(client.id)).empty()) {
      }
    });
  }
  while (accepted < 100) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  // Destroyed before the clients are waited for: whatever it forgets to close, they wait for.
  running.reset();
  for (std::thread& thread : threads) thread.join();
  for (const WebSocketClient& socket : sockets) EXPECT_EQ(socket.close_code, 1001);
  sockets.clear();
  EXPECT_EQ(open_descriptors(), descriptors);
}

TEST(WorkersTest, DrainAnswersHeldPolls) {
  RunningServer server(2);
  std::vector<std::thread> threads;
  std::atomic<int> answered{0};
  std::atomic<int> ready{0};
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&, i] {
      PollingClient client(server.port(), /*is_restless=*/i % 2 == 0);
      ++ready;
      if (client.call(connect(client.id)).find(R"("successful":true)") != std::string::npos) {
        ++answered;
      }
    });
  }
  while (ready < 6) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  server.stop();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(answered, 6);
}

}  // namespace
}  // namespace fanfare::server
