#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string_view>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/log.hpp"

namespace fanfare::base::log {

/// Writes a warning at most once a minute: for what peers can make happen as often as they like.
/// One object for each kind of thing. From any thread.
class Seldom {
 public:
  static constexpr std::chrono::minutes kPause{1};

  void warning(TimePoint now, std::string_view message) {
    TimePoint next = next_.load(std::memory_order_relaxed);
    if (now < next || !next_.compare_exchange_strong(next, now + kPause)) {
      left_out_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    const std::size_t left_out = left_out_.exchange(0, std::memory_order_relaxed);
    if (left_out == 0) return log::warning(message);
    log::warning(fmt::format("{} ({} more since the last line)", message, left_out));
  }

 private:
  std::atomic<TimePoint> next_{TimePoint::min()};
  std::atomic<std::size_t> left_out_{0};
};

}  // namespace fanfare::base::log
