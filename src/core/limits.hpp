#pragma once

#include <chrono>
#include <cstddef>

#include "base/units.hpp"

namespace fanfare::core {

using namespace base::literals;
using std::chrono::milliseconds;

/// What one realm's publishers and visitors may use. Every field is a key of `[realm.limits]` (and
/// of `[limits]`, for all realms) under its own name.
struct RealmLimits {
  /// Bytes of one publication's data. 64 KiB is what Fanout allowed.
  std::size_t message_bytes_max = 64_KiB;
  /// Bytes of one channel name or pattern; Bayeux clients keep them in URLs and logs.
  std::size_t channel_bytes_max = 255;
  /// Segments of one channel name or pattern. Each costs a publish one look-up.
  std::size_t channel_segments_max = 32;
  /// Items of one publish request, messages of one Bayeux request.
  std::size_t batch_messages_max = 1000;
  /// Channels in one subscribe message.
  std::size_t subscribe_channels_max = 100;
  /// Channels and patterns of one session.
  std::size_t session_subscriptions_max = 1000;
  /// Sessions that share one WebSocket. Faye and CometD have one; every message costs a look at
  /// each.
  std::size_t connection_sessions_max = 100;
  /// Publications that wait for one session while it has no outlet; the oldest go first, and the
  /// client is told (its session ends, it handshakes anew).
  std::size_t queue_messages_max = 10'000;
  std::size_t queue_bytes_max = 16_MiB;
  /// Bytes waiting in one connection that does not read, before it is closed as a slow consumer.
  /// 16 full messages: about 1.4 s of backlog on a 6 Mbit/s phone.
  std::size_t outbox_bytes_max = 1_MiB;
  /// All that is kept for one realm: its publications, its visitors' sessions and connections. Half
  /// of what there is: no realm can take the other half's place.
  std::size_t realm_memory_max = 512_MiB;
  /// Sessions of one realm on one worker.
  std::size_t sessions_max = 1'000'000;
  /// The same from one IPv4 address, or one IPv6 network (/64). High, because behind a proxy that
  /// is not trusted all visitors have one address.
  std::size_t sessions_per_address_max = 100'000;
  /// Ids remembered per channel to drop a publication that comes twice.
  std::size_t channel_ids_max = 1000;
  milliseconds publish_id_window{60'000};
  /// How long and how many publications wait, per channel, for the one their `prev-id` names.
  milliseconds predecessor_wait_max{5'000};
  std::size_t predecessor_waiting_max = 100;
};

/// How Bayeux clients are paced. Keys of `[realm.bayeux]`.
struct BayeuxTiming {
  /// How long a /meta/connect is held. Below the 60 s at which proxies give up.
  milliseconds connect_timeout{30'000};
  /// A session without a sign of life is forgotten after this many connect timeouts.
  int session_timeouts = 2;
  /// A session that has not connected once is forgotten sooner: clients connect as soon as they
  /// have shaken hands, and each that never does takes a place.
  milliseconds handshake_timeout{20'000};
  [[nodiscard]] milliseconds session_timeout() const { return connect_timeout * session_timeouts; }
};

static_assert(RealmLimits{}.outbox_bytes_max >= 2 * RealmLimits{}.message_bytes_max,
              "one full message must not close the connection that receives it");

}  // namespace fanfare::core
