#include "amplify/report.hpp"

#include <fmt/format.h>

namespace fanfare::amplify {
namespace {

double ms(std::chrono::nanoseconds time) {
  return static_cast<double>(time.count()) / 1e6;
}

double mib(std::uint64_t bytes) {
  return static_cast<double>(bytes) / (1024 * 1024);
}

}  // namespace

std::string figures(const Bounds& bounds, const Outcome& outcome) {
  const auto& [spent, cost, excesses, refusal] = outcome;
  return fmt::format(
      "turn {:.0f} of {} ms, CPU {:.0f} of {:.0f} ms, memory {:.0f} of {:.0f} MiB; {} bytes sent, "
      "{} "
      "received{}",
      ms(cost.longest_turn), bounds.turn.count(), ms(cost.cpu), ms(cpu_allowed(bounds, spent)),
      mib(cost.memory), mib(memory_allowed(bounds, spent)), spent.wire_bytes, spent.received_bytes,
      spent.closed > 0 ? fmt::format(", {} of {} sockets closed", spent.closed, spent.sockets)
                       : "");
}

std::string complaints(const Outcome& outcome) {
  std::string text;
  for (const Excess& excess : outcome.excesses) {
    text += fmt::format("    {}: {}\n", name_of(excess.kind), excess.text);
  }
  return text;
}

}  // namespace fanfare::amplify
