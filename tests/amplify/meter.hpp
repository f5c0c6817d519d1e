#pragma once

#include <chrono>
#include <cstdint>
#include <sys/types.h>

#include "amplify/process_use.hpp"

namespace fanfare::amplify {

/// Reads what a process uses above what it used before.
class Meter {
 public:
  /// Watches it for a moment, in which nothing happens but what will go on.
  explicit Meter(pid_t process);

  /// To be called often. False when the process is too large to be let go on on a machine that
  /// others use as well.
  bool look();

  /// CPU time beyond what would have gone by anyway; up to the last look.
  [[nodiscard]] nanoseconds cpu() const;
  /// At its largest; up to the last look.
  [[nodiscard]] std::uint64_t memory() const;

 private:
  using Clock = std::chrono::steady_clock;

  pid_t process_;
  double quiet_share_ = 0;  // of a processor
  Clock::time_point began_at_;
  Clock::time_point looked_at_;
  nanoseconds cpu_before_{};
  nanoseconds cpu_now_{};
  std::uint64_t memory_before_ = 0;
  std::uint64_t peak_ = 0;
};

}  // namespace fanfare::amplify
