#include <array>
#include <cstdint>
#include <string>

#include <fmt/format.h>

#include "base/units.hpp"
#include "server/config_keys.hpp"

namespace fanfare::server {
namespace {

using Limits = LimitRelation::Limits;

// What a publication has around its data: channel, ids, keys, the token's own field.
constexpr std::uint64_t kEnvelopeBytes = 4_KiB;

std::string show_size(std::uint64_t bytes) {
  return fmt::format("\"{}\"", base::format_size(bytes));
}
std::string show_time(std::uint64_t count) {
  return fmt::format("\"{}\"",
                     base::format_duration(milliseconds(static_cast<std::int64_t>(count))));
}
std::string show_count(std::uint64_t count) {
  return fmt::to_string(count);
}

std::uint64_t ms(milliseconds time) {
  return static_cast<std::uint64_t>(time.count());
}

constexpr std::array<LimitRelation, 7> kRelations{{
    {"outbox_bytes_max", "message_bytes_max",
     [](const Limits& l) -> std::uint64_t { return l.realm.outbox_bytes_max; },
     [](const Limits& l) -> std::uint64_t { return 2 * l.realm.message_bytes_max; }, show_size,
     "one full message must not close the connection that receives it"},
    {"queue_bytes_max", "message_bytes_max",
     [](const Limits& l) -> std::uint64_t { return l.realm.queue_bytes_max; },
     [](const Limits& l) -> std::uint64_t { return 2 * l.realm.message_bytes_max; }, show_size,
     "one full message must not end the session that waits for it"},
    {"queue_messages_max", "batch_messages_max",
     [](const Limits& l) -> std::uint64_t { return l.realm.queue_messages_max; },
     [](const Limits& l) -> std::uint64_t { return l.realm.batch_messages_max; }, show_count,
     "one full batch must not end the sessions that wait for it"},
    {"session_subscriptions_max", "subscribe_channels_max",
     [](const Limits& l) -> std::uint64_t { return l.realm.session_subscriptions_max; },
     [](const Limits& l) -> std::uint64_t { return l.realm.subscribe_channels_max; }, show_count,
     "one full subscribe message must fit into a session"},
    {"publish_id_window", "predecessor_wait_max",
     [](const Limits& l) { return ms(l.realm.publish_id_window); },
     [](const Limits& l) { return ms(l.realm.predecessor_wait_max); }, show_time,
     "an id must be remembered while publications wait for it"},
    {"body_bytes_max", "message_bytes_max",
     [](const Limits& l) -> std::uint64_t { return l.server.body_bytes_max; },
     [](const Limits& l) -> std::uint64_t { return l.realm.message_bytes_max + kEnvelopeBytes; },
     show_size, "one full message and what is around it must fit into a request"},
    {"websocket_message_bytes_max", "message_bytes_max",
     [](const Limits& l) -> std::uint64_t { return l.server.websocket_message_bytes_max; },
     [](const Limits& l) -> std::uint64_t { return l.realm.message_bytes_max + kEnvelopeBytes; },
     show_size, "one full message and what is around it must fit into a WebSocket message"},
}};

}  // namespace

std::span<const LimitRelation> limit_relations() {
  return kRelations;
}

}  // namespace fanfare::server
