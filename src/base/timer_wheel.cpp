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
  while (advance(now, [] { return false; })) {
  }
}

std::uint64_t TimerWheel::reached_at(TimePoint now) noexcept {
  if (now <= start_) return 0;
  const auto reached = static_cast<std::uint64_t>(
      (now - start_) / std::chrono::duration_cast<TimePoint::duration>(kTick));
  // After a long sleep one look at every slot is enough.
  if (reached > current_tick_ + kSlots) current_tick_ = reached - kSlots;
  return reached;
}

/// Whether there is somebody to look at. A slot is taken out whole: a timer that fires may arm
/// itself into this very one.
bool TimerWheel::take_next_slot(std::uint64_t reached) noexcept {
  while (due_.empty() && current_tick_ < reached) due_.swap(slots_[++current_tick_ % kSlots]);
  return !due_.empty();
}

void TimerWheel::look_at_next(std::uint64_t reached, TimePoint now) noexcept {
  Timer& timer = due_.front();
  due_.pop_front();
  if (timer.due_tick_ > reached) {
    slots_[timer.due_tick_ % kSlots].push_back(timer);
  } else {
    fire(timer, now);
  }
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
