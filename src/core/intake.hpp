#pragma once

#include <cstddef>
#include <deque>
#include <utility>

#include "base/task.hpp"

namespace fanfare::core {

/// The door through which publications come to one worker's homes. Offering them to subscribers
/// takes time, so only so many come in in one turn of the loop; the others wait, and so do their
/// answers. Thus no turn is longer than other clients can wait for, and publishers cannot run ahead
/// of the deliveries.
///
/// Threads: one worker's. Cost: two comparisons for a publication that need not wait.
class Intake {
 public:
  /// Offers in one turn, after which the next publication waits for the next turn. An offer takes
  /// some 90 ns: this is 0.7 ms.
  static constexpr std::size_t kOffersPerTurn = 8'192;

  /// `at_turn_end` runs a task when the events of this turn have been handled.
  explicit Intake(base::UniqueFunction<void(base::Task)> at_turn_end)
      : at_turn_end_(std::move(at_turn_end)) {}

  /// Whether one more publication of those who are in may come in this turn.
  [[nodiscard]] bool has_room() const noexcept { return offers_ < kOffersPerTurn; }
  /// Whether a newcomer may come in now; if not, it has to wait().
  [[nodiscard]] bool is_open() const noexcept { return has_room() && waiting_.empty(); }

  /// Lets somebody in part by part.
  using Enter = base::UniqueFunction<bool()>;
  /// Calls `enter` when all those have come in who wait already; and again, while it returns false
  /// because there was no room for all of it.
  void wait(Enter enter);
  /// Whether somebody waits, or had to wait until the turn before. Those who come together from
  /// one connection come one after the other.
  [[nodiscard]] bool is_crowded() const noexcept { return !waiting_.empty() || has_let_in_; }

  /// Says to how many subscribers something has been offered.
  void count(std::size_t offers);
  /// How many there were in this turn.
  [[nodiscard]] std::size_t offers() const noexcept { return offers_; }

  /// Drops what waits.
  void clear() noexcept { waiting_.clear(); }

 private:
  void end_turn_later();
  void end_turn();

  base::UniqueFunction<void(base::Task)> at_turn_end_;
  std::deque<Enter> waiting_;
  std::size_t offers_ = 0;
  bool has_let_in_ = false;
  bool ends_turn_later_ = false;
};

}  // namespace fanfare::core
