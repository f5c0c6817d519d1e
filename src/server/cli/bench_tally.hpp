#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <string>

#include "server/cli/bench_histogram.hpp"

namespace fanfare::server::cli::bench {

/// Which of one publisher's messages one subscriber has got: the highest, and which of the 63 below
/// it. Enough to tell what comes twice from what comes late, in 16 bytes.
class Seen {
 public:
  enum class Verdict { in_order, late, again };

  Verdict take(std::uint32_t message) noexcept {
    if (below_ == 0 || message > highest_) {
      const std::uint32_t step = below_ == 0 ? 64 : message - highest_;
      below_ = step < 64 ? below_ << step | 1 : 1;
      highest_ = message;
      return Verdict::in_order;
    }
    const std::uint32_t back = highest_ - message;
    // That long ago nobody knows; what is lost or doubled shows in the sum all the same.
    if (back >= 64) return Verdict::late;
    const std::uint64_t bit = std::uint64_t{1} << back;
    if ((below_ & bit) != 0) return Verdict::again;
    below_ |= bit;
    return Verdict::late;
  }

 private:
  std::uint32_t highest_ = 0;
  std::uint64_t below_ = 0;  // bit n: highest_ - n has come; 0 before the first
};

/// What one thread of the driver has seen. The atomics are there for the thread that watches;
/// everything else is read after the thread's end.
struct Tally {
  /// A subscriber's or a publisher's connection is ready, or will never be.
  std::atomic<std::uint64_t> ready{0};
  std::atomic<std::uint64_t> failed{0};
  std::atomic<std::uint64_t> last_ready_at{0};
  /// Without those that came again.
  std::atomic<std::uint64_t> deliveries{0};
  std::atomic<std::uint64_t> last_delivery_at{0};

  std::uint64_t again = 0;
  std::uint64_t late = 0;
  /// Subscribers that the server closed after they had subscribed; slow ones not among them.
  std::uint64_t disconnected = 0;
  Histogram latency;
  Histogram newcomers;  // from connect to subscribed
  Histogram newcomer_answers;
  std::uint64_t newcomers_unserved = 0;
  /// The first thing that went wrong, for a person to read.
  std::string trouble;

  void complain(std::string_view what) {
    if (trouble.empty()) trouble = what;
  }
};

/// A counter with one writer costs no locked instruction.
inline void bump(std::atomic<std::uint64_t>& counter, std::uint64_t by = 1) noexcept {
  counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}

}  // namespace fanfare::server::cli::bench
