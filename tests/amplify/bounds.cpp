#include "amplify/bounds.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace fanfare::amplify {
namespace {

// {"channel":"/n1","data":1}
constexpr std::uint64_t kDeliveryBytesMin = 26;
// "/n1", in a list.
constexpr std::uint64_t kSubscriptionBytesMin = 6;
// {"channel":"/meta/handshake","version":"1.0","supportedConnectionTypes":["x"]}
constexpr std::uint64_t kHandshakeBytesMin = 78;

double ms(std::chrono::nanoseconds time) {
  return static_cast<double>(time.count()) / 1e6;
}

double mib(std::uint64_t bytes) {
  return static_cast<double>(bytes) / (1024 * 1024);
}

std::string sent(const Spent& spent) {
  return fmt::format("{} bytes on the wire, {} more by inflating, {} publications, {} deliveries",
                     spent.wire_bytes, spent.inflated_bytes, spent.publications, spent.deliveries);
}

}  // namespace

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::turn:
      return "turn";
    case Kind::cpu:
      return "CPU";
    case Kind::memory:
      return "memory";
    case Kind::background:
      return "background";
    case Kind::process:
      return "process";
  }
  return "";
}

std::chrono::nanoseconds cpu_allowed(const Bounds& bounds, const Spent& spent) {
  const std::uint64_t arrived =
      std::min(spent.deliveries, spent.received_bytes / kDeliveryBytesMin);
  const std::uint64_t variable = bounds.cpu_ns_per_wire_byte * spent.wire_bytes +
                                 bounds.cpu_ns_per_inflated_byte * spent.inflated_bytes +
                                 bounds.cpu_ns_per_delivery * arrived +
                                 bounds.cpu_ns_per_waiting_delivery * spent.deliveries +
                                 bounds.cpu_ns_per_publication * spent.publications +
                                 bounds.cpu_ns_per_published_byte * spent.published_bytes;
  return bounds.cpu_fixed + std::chrono::nanoseconds(variable);
}

std::uint64_t memory_allowed(const Bounds& bounds, const Spent& spent) {
  // What a script wanted to send need not have been taken.
  const std::uint64_t read = spent.wire_bytes + spent.inflated_bytes;
  const std::uint64_t sessions = std::min(spent.sessions, read / kHandshakeBytesMin);
  const std::uint64_t subscriptions = std::min(spent.subscriptions, read / kSubscriptionBytesMin);
  return bounds.memory_fixed + bounds.memory_per_wire_byte * spent.wire_bytes +
         bounds.memory_per_socket * spent.sockets + bounds.memory_per_session * sessions +
         bounds.memory_per_subscription * subscriptions +
         bounds.memory_per_published_byte * spent.published_bytes +
         bounds.memory_per_delivery * spent.deliveries;
}

std::vector<Excess> judge(const Bounds& bounds, const Spent& spent, const Cost& cost) {
  std::vector<Excess> found;
  if (cost.longest_turn > bounds.turn) {
    found.push_back(
        {Kind::turn,
         fmt::format("a worker used {:.0f} ms of CPU between a question and its answer; "
                     "the bound is {} ms",
                     ms(cost.longest_turn), bounds.turn.count())});
  }
  if (const auto allowed = cpu_allowed(bounds, spent); cost.cpu > allowed) {
    found.push_back(
        {Kind::cpu, fmt::format("the server used {:.0f} ms of CPU, {:.0f} are allowed for {}",
                                ms(cost.cpu), ms(allowed), sent(spent))});
  }
  if (const auto allowed = memory_allowed(bounds, spent); cost.memory > allowed) {
    found.push_back(
        {Kind::memory,
         fmt::format(
             "the server grew by {:.1f} MiB, {:.1f} are allowed for {}, {} sockets, {} sessions, "
             "{} subscriptions, {} published bytes",
             mib(cost.memory), mib(allowed), sent(spent), spent.sockets, spent.sessions,
             spent.subscriptions, spent.published_bytes)});
  }
  if (!cost.background.empty()) found.push_back({Kind::background, cost.background});
  if (!cost.process.empty()) found.push_back({Kind::process, cost.process});
  return found;
}

}  // namespace fanfare::amplify
