#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <boost/intrusive/list.hpp>

#include "base/clock.hpp"

namespace fanfare::base {

/// Something that wants to be called at or after a deadline. Costs 32 bytes where it is embedded.
/// Destroying it cancels it.
class Timer : public boost::intrusive::list_base_hook<
                  boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  [[nodiscard]] bool is_armed() const noexcept { return is_linked(); }
  void cancel() noexcept { unlink(); }

 protected:
  virtual ~Timer() {
    if (expiring_ == this) expiring_ = nullptr;
  }

 private:
  friend class TimerWheel;
  /// Called once per arming, unlinked, and free to arm itself again or to be destroyed.
  virtual void expire(TimePoint now) = 0;
  /// expire() threw, and this still lives. It must not live on without a timer: it ends, or arms
  /// itself again.
  virtual void on_failed() noexcept = 0;

  // The one that is being called, until it is destroyed: whoever throws may have let go of itself.
  inline static thread_local Timer* expiring_ = nullptr;

  std::uint64_t due_tick_ = 0;
};

/// The deadlines of one worker: thousands of timers that are nearly always pushed back or cancelled
/// before they fire. A deadline is met up to one tick late, never early.
///
/// Threads: one worker's. Ownership: borrows timers. Cost: arm and cancel O(1), about 7 ns; advance
/// O(slots passed + timers due). Timers further away than one turn of the wheel are looked at once
/// per turn.
class TimerWheel {
 public:
  /// 50 ms is far below any timeout of ours (the shortest is seconds) and costs an idle worker 20
  /// wake-ups a second.
  static constexpr Duration kTick{50};

  explicit TimerWheel(TimePoint start) : start_(start) {}

  /// Arms `timer`, or moves it if it was armed.
  void arm(Timer& timer, TimePoint deadline) noexcept;

  /// Fires what is due. A timer that throws stops none of the others.
  void advance(TimePoint now) noexcept;
  /// The same, but when `has_to_stop()` says so, not all at once: thousands of sessions may expire
  /// together, and to look at each costs some microseconds, since none is in a cache. Returns
  /// whether it is to be called again, in the next turn.
  template <typename HasToStop>
  bool advance(TimePoint now, HasToStop&& has_to_stop) {
    const std::uint64_t reached = reached_at(now);
    for (int looks = 0; take_next_slot(reached); ++looks) {
      // Some always, or under load none would ever be in time.
      if (looks >= kLooksMax || (looks >= kLooksAlways && has_to_stop())) return true;
      look_at_next(reached, now);
    }
    return false;
  }

 private:
  // 2048 slots of 50 ms are 102 s: a session's own deadlines (30 s and 60 s) fit one turn.
  static constexpr std::size_t kSlots = 2048;
  using Slot = boost::intrusive::list<Timer, boost::intrusive::constant_time_size<false>>;

  static void fire(Timer& timer, TimePoint now) noexcept;
  static constexpr int kLooksAlways = 32;
  static constexpr int kLooksMax = 2'048;

  [[nodiscard]] std::uint64_t tick_at_or_after(TimePoint time) const;
  [[nodiscard]] std::uint64_t reached_at(TimePoint now) noexcept;
  bool take_next_slot(std::uint64_t reached) noexcept;
  void look_at_next(std::uint64_t reached, TimePoint now) noexcept;

  TimePoint start_;
  std::uint64_t current_tick_ = 0;  // every tick up to and including this one has been handled
  std::array<Slot, kSlots> slots_;
  Slot due_;  // of the slots up to the current tick: have not been looked at yet
};

}  // namespace fanfare::base
