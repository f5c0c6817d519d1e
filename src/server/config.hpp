#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "base/units.hpp"
#include "core/limits.hpp"
#include "core/realm.hpp"

namespace fanfare::server {

using namespace base::literals;
using std::chrono::milliseconds;

/// Where to listen: a numeric address (IPv6 without its brackets) and a port; 0 lets the system
/// choose one.
struct ListenAddress {
  std::string host;
  std::uint16_t port = 0;
  /// Whether a trusted proxy says in front of each connection whose it is.
  bool proxy_protocol = false;

  friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

/// Reads `127.0.0.1:8400`, `[::1]:8400` and `localhost:8400`. Other names are refused: which of its
/// addresses would be meant?
base::Result<ListenAddress> parse_listen_address(std::string_view text);
std::string to_string(const ListenAddress& address);
/// Whether only this machine can reach it: 127.0.0.0/8 and ::1.
bool is_loopback(const ListenAddress& address);

/// The realm's part of a host name `{label}.{domain}`: its id in lower case, because host names do
/// not tell capitals apart. No two realms of a configuration share one.
std::string host_label(const core::RealmId& id);

/// What connections may use before a realm is known. Every field is a key of `[limits]` under its
/// own name.
struct ServerLimits {
  /// Sockets open at once, over all workers. Each is a file descriptor.
  std::size_t connections_max = 100'000;
  /// Bytes of one request's head: request line and header fields.
  std::size_t header_bytes_max = 16_KiB;
  /// From the first byte of a request until its head is complete; what a slow-loris has.
  milliseconds header_timeout{30'000};
  std::size_t body_bytes_max = 2'000'000;
  /// Arrays and objects inside each other, in any JSON that a peer sends.
  std::size_t json_depth_max = 64;
  /// From the end of the head until the body is complete.
  milliseconds body_timeout{30'000};
  /// How long an idle HTTP connection stays. Publishers keep one per process and do not retry, so
  /// a close that crosses a request loses a message: it must come later than their own (clients
  /// drop idle ones after 60 s to 90 s).
  milliseconds keep_alive_timeout{300'000};
  /// All that peers make the server keep, each thing counted once. A small server has 2 GiB, and
  /// what the allocator and the kernel need comes on top.
  std::size_t memory_max = 1024_MiB;
  /// The same of one address (IPv6: one /64 network): a quarter, so that one visitor never takes
  /// the place of the others, and an office behind one address has room.
  std::size_t address_memory_max = 256_MiB;
  /// Sockets of one address on one worker. A proxy on this machine has no more ports than that.
  std::size_t connections_per_address_max = 30'000;
  /// Bytes of publications that wait for sessions, over all of them; above it the sessions with the
  /// most end first.
  std::size_t queued_bytes_max = 1024_MiB;
  /// Bodies and WebSocket messages of which a part has come, over all connections.
  std::size_t incoming_bytes_max = 256_MiB;
  /// Publications that wait because publishers are faster than deliveries leave.
  std::size_t publishing_bytes_max = 256_MiB;
  std::size_t websocket_message_bytes_max = 1_MiB;
  /// How long a WebSocket may live without a session. Faye opens one before it has a session and
  /// keeps it for later, so this is long.
  milliseconds websocket_unused_timeout{600'000};
  /// A WebSocket is pinged this often, and dropped when it was silent for two intervals.
  milliseconds websocket_ping_interval{30'000};
};

/// Everything that `fanfare serve` is told. Immutable once the server runs.
struct Config {
  std::vector<ListenAddress> listen{{"127.0.0.1", 8400}};
  /// Whose word about a visitor's address counts.
  std::vector<base::IpNetwork> trusted_proxies;
  std::string data_dir = "./fanfare-data";
  /// A directory whose files are served under /bayeux/static/.
  std::optional<std::string> static_dir;
  std::size_t workers = default_workers();
  /// Lower case. A browser's `Host` of `{realm}.{domain}` names its realm.
  std::vector<std::string> domains{"localhost"};
  base::log::Level log_level = base::log::Level::info;
  /// Whether there is a page under /demo/, on which anybody may write. When nothing is said, only
  /// where nobody else can reach it.
  std::optional<bool> demo;
  ServerLimits server_limits;
  /// For realms that say nothing else, also those of the store.
  core::RealmLimits realm_limits;
  core::BayeuxTiming bayeux;
  /// The static ones, from the file and the command line, with their own limits in place.
  std::vector<core::Realm> realms;

  /// Gives a realm of the store, which knows only its id and keys, what it has in common with all.
  void apply_defaults(core::Realm& realm) const;

  [[nodiscard]] bool has_demo() const;

  /// One per processor, from 1 to 64.
  static std::size_t default_workers();
};

inline constexpr std::size_t kWorkersMax = 64;

/// Read from the working directory when no `--config` names another.
inline constexpr std::string_view kDefaultConfigFile = "fanfare.toml";

/// What the command line says, as it says it. What is absent stays as the file has it; what is here
/// replaces that, except that realms are added (or given this key, when the file has that id).
struct ConfigFlags {
  std::optional<std::string> config;
  std::vector<std::string> listen;
  std::vector<std::string> trusted_proxy;
  std::optional<std::string> data;
  std::optional<std::string> static_dir;
  std::optional<std::int64_t> workers;
  std::vector<std::string> domain;
  std::vector<std::string> realm;  // ID:BASE64KEY
  std::optional<std::string> log_level;
  bool demo = false;
};

/// `config` is fit for use only when there are no mistakes.
struct ConfigReading {
  Config config;
  /// The file that was read; empty when there was none.
  std::string file;
  /// All of them, one line each: `fanfare.toml:LINE: [section] key: what is wrong and what to
  /// write` or `--flag: ...`.
  std::vector<std::string> mistakes;
};

/// Reads the file (the one of `--config`, else `fanfare.toml` if there is one) and the flags, and
/// checks everything that can be checked without listening or opening the store.
ConfigReading read_config(const ConfigFlags& flags);

/// The same for a file's text already in memory; `name` stands in the mistakes.
ConfigReading read_config_text(std::string_view toml, const std::string& name,
                               const ConfigFlags& flags = {});

/// The whole file, commented, with every key at its default.
std::string config_reference();

}  // namespace fanfare::server
