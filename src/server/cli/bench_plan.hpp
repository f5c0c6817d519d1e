#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/cli/bench_socket.hpp"
#include "server/cli/realms.hpp"

namespace fanfare::server::cli::bench {

using std::chrono::milliseconds;

enum class Transport { websocket, long_poll };

/// What the server speaks. The last three are there to compare.
enum class Protocol {
  fanfare,   ///< Bayeux for subscribers, the publish API for publishers
  bayeux,    ///< Bayeux for both: Faye, CometD
  plain,     ///< GET {path}/sub/{channel}, POST {path}/pub/{channel}: nchan, and bench/send_loop
  nats,      ///< NATS: its protocol over WebSocket, and over TCP for publishers
  socketio,  ///< Socket.IO 4 with the rooms and the POST of bench/peers/socketio
};

/// Where a server is: `http://host:port/path`.
struct Place {
  std::string host;
  std::string port;
  std::string path;  // without a slash at its end; empty for none
  Address address;

  [[nodiscard]] std::string host_with_port() const { return host + ':' + port; }
};

/// What a run does, checked: nothing in it contradicts anything else.
struct Plan {
  Protocol protocol = Protocol::fanfare;
  Transport transport = Transport::websocket;
  Place subscribe_at;
  Place publish_at;
  /// For the publish API.
  std::optional<Credentials> credentials;

  std::size_t subscribers = 1000;
  /// Subscriber i listens to channels i * subscriptions, i * subscriptions + 1, …, modulo channels.
  std::size_t channels = 1;
  std::size_t subscriptions = 1;
  /// Channels have two segments, and every second subscription is a pattern that fits one of them.
  bool patterns = false;
  std::size_t publishers = 1;
  std::size_t threads = 1;
  /// Subscribers besides the others that never read.
  std::size_t slow = 0;

  /// Publishes of one publisher that wait for their answer; with `lockstep` they also wait for
  /// every subscriber to have got them.
  std::size_t in_flight = 1;
  bool lockstep = false;
  std::size_t payload_bytes = 128;
  /// Publishes a second, of all publishers together; 0 is as many as possible.
  double rate = 0;
  /// Whichever is first ends the publishing.
  std::optional<std::uint64_t> messages;
  milliseconds duration{10'000};
  /// Published before anything is measured: caches and just-in-time compilers warm up.
  milliseconds warm_up{0};

  /// Instead of publishing: end when all have subscribed, or stay idle for that long.
  bool only_connects = false;
  std::optional<milliseconds> idle;
  /// Newcomers connect while others publish.
  bool probes = false;

  std::vector<int> server_pids;
  bool as_json = false;
  bool shows_progress = false;

  [[nodiscard]] bool publishes() const { return !only_connects && !idle; }
};

}  // namespace fanfare::server::cli::bench
