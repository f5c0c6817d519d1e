#pragma once

#include <chrono>

namespace fanfare::base {

using Duration = std::chrono::milliseconds;
using TimePoint = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;

/// Where time comes from. Servers use SystemClock; tests move a ManualClock by hand.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Never goes back; for deadlines.
  [[nodiscard]] virtual TimePoint now() const = 0;
  /// The calendar; for what others wrote, as the `exp` of a token.
  [[nodiscard]] virtual WallTime wall_now() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] TimePoint now() const override { return std::chrono::steady_clock::now(); }
  [[nodiscard]] WallTime wall_now() const override { return std::chrono::system_clock::now(); }
};

/// Stands still until told to move. Starts away from zero, so that "never" and "at start" differ.
class ManualClock final : public Clock {
 public:
  [[nodiscard]] TimePoint now() const override { return now_; }
  [[nodiscard]] WallTime wall_now() const override { return wall_now_; }

  void advance(Duration by) {
    now_ += by;
    wall_now_ += by;
  }
  void set_wall(WallTime time) { wall_now_ = time; }

 private:
  TimePoint now_{std::chrono::hours(1)};
  WallTime wall_now_{std::chrono::seconds(1'800'000'000)};
};

}  // namespace fanfare::base
