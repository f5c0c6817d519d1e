#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/intrusive/list.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/loopback.hpp"
#include "support/client_socket.hpp"
#include "support/service_thread.hpp"
#include "transport/http/connection.hpp"

namespace fanfare::transport::http {

/// Connections on a loop of their own; the test holds the other ends. Requests go to `handles`.
class HttpFixture : public ::testing::Test, private Handler {
 protected:
  ~HttpFixture() override {
    bayeux_.thread.call([this] {
      while (!connections_.empty()) connections_.front().abort();
      kept_.clear();
    });
    bayeux_.thread.call([] {});
    bayeux_.thread.stop();
    bayeux_.service.clear();
  }

  template <typename Function>
  auto on_loop(Function function) {
    return bayeux_.thread.call(std::move(function));
  }
  ClientSocket open() {
    auto [descriptor, client] = net::loopback_connection();
    on_loop([this, descriptor = descriptor] {
      const ConnectionPtr connection(new Connection(
          context_, net::Socket(bayeux_.thread.loop, {net::Descriptor(descriptor), false, {}})));
      connections_.push_back(*connection);
      connection->start();
    });
    return std::move(client);
  }
  [[nodiscard]] bool wait_until_closed() {
    return bayeux_.wait_until([this] { return connections_.empty(); });
  }

  /// On the loop's thread.
  [[nodiscard]] bool has_no_connections_but(std::size_t count) const {
    return connections_.size() <= count;
  }
  void drain_all() {
    on_loop([this] {
      for (auto at = connections_.begin(); at != connections_.end();) (at++)->drain();
    });
  }

  ServiceThread bayeux_;
  std::function<void(const ConnectionPtr&, wire::http1::Request)> handles_;
  ConnectionLimits limits_{.request = {},
                           .header_timeout = base::Duration(30'000),
                           .body_timeout = base::Duration(30'000),
                           .keep_alive_timeout = base::Duration(300'000)};
  std::vector<ConnectionPtr> kept_;  // by handlers that answer later
  base::ByteBudget incoming_{4'000'000};

 private:
  void handle(const ConnectionPtr& connection, wire::http1::Request request) override {
    handles_(connection, std::move(request));
  }

  std::vector<char> scratch_ = std::vector<char>(64 * 1024);
  ConnectionContext context_{bayeux_.thread.loop,
                             limits_,
                             *this,
                             bayeux_.exchange.turn(),
                             bayeux_.exchange.ledger(),
                             scratch_,
                             incoming_,
                             {},
                             {}};
  boost::intrusive::list<Connection, boost::intrusive::base_hook<ConnectionHook>,
                         boost::intrusive::constant_time_size<false>>
      connections_;
};

}  // namespace fanfare::transport::http
