#include "base/timer_wheel.hpp"

#include <algorithm>

#include "base/caught.hpp"
#include "base/fault.hpp"

namespace fanfare::base {

std::uint64_t TimerWheel::tick_at_or_after(TimePoint time) const {
  if (time <= start_) return 0;
  const auto elapsed = time - start_;
  const auto tick = std::chrono::duration_cast<TimePoint::duration>(kTick);
  return static_cast<std::uint64_t>((elapsed + tick - TimePoint::duration(1)) / tick);
}

void TimerWheel::arm(Timer& timer, TimePoint deadline) noexcept {
  timer.unlink();
  timer.due_tick_ = std::max(tick_at_or_after(deadline), current_tick_ + 1);
  slots_[timer.due_tick_ % kSlots].push_back(timer);
}

void TimerWheel::advance(TimePoint now) noexcept {
  advance(now, [] { return false; });
}

/// Moves what is due by now out of the wheel: a timer that fires may arm itself into its own slot.
void TimerWheel::collect(TimePoint now) noexcept {
  if (now <= start_) return;
  const auto reached = static_cast<std::uint64_t>(
      (now - start_) / std::chrono::duration_cast<TimePoint::duration>(kTick));
  // After a long sleep one look at every slot is enough.
  const std::uint64_t first =
      reached - std::min<std::uint64_t>(reached - current_tick_, kSlots) + 1;
  current_tick_ = std::max(current_tick_, reached);
  for (std::uint64_t tick = first; tick <= reached; ++tick) {
    Slot& slot = slots_[tick % kSlots];
    Slot later;
    while (!slot.empty()) {
      Timer& timer = slot.front();
      slot.pop_front();
      (timer.due_tick_ > reached ? later : due_).push_back(timer);
    }
    slot.swap(later);
  }
}

void TimerWheel::fire_next(TimePoint now) noexcept {
  Timer& timer = due_.front();
  due_.pop_front();
  fire(timer, now);
}

void TimerWheel::fire(Timer& timer, TimePoint now) noexcept {
  Timer::expiring_ = &timer;
  try {
    FANFARE_MAY_THROW("a timer");
    timer.expire(now);
  } catch (...) {
    report_caught("a timer");
    if (Timer::expiring_ == &timer) timer.on_failed();
  }
  Timer::expiring_ = nullptr;
}

}  // namespace fanfare::base
