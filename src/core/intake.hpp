#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <utility>

#include "base/task.hpp"
#include "base/units.hpp"
#include "core/realm.hpp"

namespace fanfare::core {

using namespace base::literals;

/// The door through which publications come to one worker's homes and hubs. Offering them to
/// subscribers takes time, so only so many come in in one turn of the loop; the others wait, and so
/// do their answers. Thus no turn is longer than other clients can wait for, and publishers cannot
/// run ahead of the deliveries. Who waits stands in a row with others of the same realm, and the
/// realms take turns.
///
/// Threads: one worker's, but for is_full(). Cost: two comparisons for a publication that need not
/// wait.
class Intake {
 public:
  /// Offers in one turn, after which the next publication waits for the next turn. An offer takes
  /// some 90 ns: this is 0.7 ms.
  static constexpr std::size_t kOffersPerTurn = 8'192;
  /// Bytes that may wait. More are let wait, but publishers are asked to ask is_full() before.
  static constexpr std::size_t kWaitingBytesMax = 64_MiB;

  /// `at_turn_end` runs a task when the events of this turn have been handled.
  explicit Intake(base::UniqueFunction<void(base::Task)> at_turn_end,
                  std::size_t waiting_bytes_max = kWaitingBytesMax)
      : at_turn_end_(std::move(at_turn_end)), waiting_bytes_max_(waiting_bytes_max) {}

  /// Whether one more publication of those who are in may come in this turn.
  [[nodiscard]] bool has_room() const noexcept { return offers_ < kOffersPerTurn; }
  /// Whether a newcomer may come in now; if not, it has to wait().
  [[nodiscard]] bool is_open() const noexcept { return has_room() && rows_.empty(); }

  /// Lets somebody in part by part.
  using Enter = base::UniqueFunction<bool()>;
  /// Calls `enter` when all those of the realm have come in who wait already; and again, while it
  /// returns false because there was no room for all of it. `bytes` is what it keeps in memory.
  void wait(const RealmPtr& realm, std::size_t bytes, Enter enter);
  /// Whether somebody waits, or had to wait until the turn before. Those who come together from
  /// one connection come one after the other.
  [[nodiscard]] bool is_crowded() const noexcept { return !rows_.empty() || has_let_in_; }
  /// Whether more waits than should. From any thread.
  [[nodiscard]] bool is_full() const noexcept {
    return waiting_bytes_.load(std::memory_order_relaxed) > waiting_bytes_max_;
  }

  /// Says to how many subscribers something has been offered.
  void count(std::size_t offers);
  /// How many there were in this turn.
  [[nodiscard]] std::size_t offers() const noexcept { return offers_; }

  /// Drops what waits.
  void clear() noexcept { rows_.clear(); }

 private:
  struct Entrant {
    Enter enter;
    std::size_t bytes;
  };
  struct Row {
    RealmPtr realm;
    std::deque<Entrant> entrants;
  };

  void end_turn_later();
  void end_turn();
  void let_one_in(Row& row);

  base::UniqueFunction<void(base::Task)> at_turn_end_;
  std::size_t waiting_bytes_max_;
  std::atomic<std::size_t> waiting_bytes_ = 0;
  std::deque<Row> rows_;  // the first is the next to be served
  std::size_t offers_ = 0;
  bool has_let_in_ = false;
  bool ends_turn_later_ = false;
};

}  // namespace fanfare::core
