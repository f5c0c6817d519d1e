#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/check.hpp"
#include "core/channel.hpp"
#include "core/publication.hpp"
#include "core/realm.hpp"
#include "core/subscriber.hpp"

/// What the microbenchmarks share: the domain's objects, made in one line.
namespace fanfare::benchmarks {

/// What docs/benchmarks.md publishes, too.
inline constexpr std::size_t kPayloadBytes = 128;

inline core::ChannelName name(std::string_view text) {
  auto parsed = core::ChannelName::parse(text, core::ChannelRules{});
  FANFARE_CHECK(parsed.has_value());
  return std::move(*parsed);
}

inline core::ChannelPattern pattern(std::string_view text) {
  auto parsed = core::ChannelPattern::parse(text, core::ChannelRules{});
  FANFARE_CHECK(parsed.has_value());
  return std::move(*parsed);
}

inline std::string payload() {
  return '"' + std::string(kPayloadBytes - 2, 'x') + '"';
}

inline core::PublicationPtr publication(std::string_view channel) {
  return std::make_shared<core::Publication>(core::Publication{name(channel), payload()});
}

/// Counts, and nothing else: what a hub costs without what it calls.
class Counter final : public core::Subscriber {
 public:
  void deliver(const core::PublicationPtr&) noexcept override { ++count; }
  void missed() noexcept override {}
  std::size_t count = 0;
};

}  // namespace fanfare::benchmarks
