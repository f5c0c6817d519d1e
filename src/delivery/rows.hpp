#pragma once

#include <cstddef>
#include <deque>

#include "base/clock.hpp"
#include "base/timer_wheel.hpp"
#include "core/bundle.hpp"
#include "delivery/queue.hpp"

namespace fanfare::delivery {

/// Rows of publications that left queues not long ago. Who comes back to the same row gets the same
/// bundle, with all that was made of it: when 10,000 browsers return after the same blip, their
/// frame is encoded and compressed once.
///
/// Threads: one worker's. Cost: a look at each row that is remembered, and a comparison of pointers
/// for each publication of the one that fits.
class Rows final : private base::Timer {
 public:
  /// Enough for the groups that a site's visitors fall into; each row is looked at for each session
  /// that comes back.
  static constexpr std::size_t kRowsMax = 64;
  /// What rows that nobody has asked for are kept.
  static constexpr base::Duration kRemembered{5'000};

  /// `kept` is where the bytes of the bundles are counted.
  Rows(const base::Clock& clock, base::TimerWheel& timers, std::size_t& kept)
      : clock_(clock), timers_(timers), kept_(kept) {}

  /// Takes from the front of `queue`, which is not empty, what makes up to `bytes_max`, but one
  /// publication at least.
  core::BundlePtr take(Queue& queue, std::size_t bytes_max);

  void clear() noexcept { recent_.clear(); }

 private:
  void expire(base::TimePoint now) override;
  void on_failed() noexcept override;
  core::BundlePtr find(const Queue& queue, std::size_t count);

  const base::Clock& clock_;
  base::TimerWheel& timers_;
  std::size_t& kept_;
  std::deque<core::BundlePtr> recent_;  // the one that was asked for last is in front
};

}  // namespace fanfare::delivery
