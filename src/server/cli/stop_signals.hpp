#pragma once

#include <atomic>
#include <functional>
#include <thread>

namespace fanfare::server::cli {

/// Turns SIGINT and SIGTERM into a call: the first one calls `on_stop` (from a thread of its own,
/// so it may lock and allocate, which a signal handler must not), a second one ends the process at
/// once, for those who do not want to wait.
///
/// Make one before any other thread starts: threads inherit that these signals are blocked.
/// `on_stop` must not outlive what it refers to; it is not called after the destructor.
class StopSignals {
 public:
  explicit StopSignals(std::function<void()> on_stop);
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// Blocks them without waiting for them, where threads start before there is something to stop.
  /// A signal that comes meanwhile is kept for the StopSignals.
  static void block();

 private:
  void wait_for_signals();

  std::function<void()> on_stop_;
  std::atomic<bool> is_over_{false};
  std::thread waiter_;  // last: it uses the others
};

}  // namespace fanfare::server::cli
