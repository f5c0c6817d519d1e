#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

#include "base/byte_budget.hpp"
#include "base/task.hpp"
#include "base/turn.hpp"
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
class Intake final : private base::Turn::Waiter {
 public:
  /// Offers in one turn, after which the next publication waits for the next turn. An offer takes
  /// some 90 ns: this is 0.7 ms.
  static constexpr std::size_t kOffersPerTurn = 8'192;
  /// Bytes that may wait. More are let wait, but publishers are asked to ask is_full() before.
  static constexpr std::size_t kWaitingBytesMax = 64_MiB;

  explicit Intake(base::Turn& turn, std::size_t waiting_bytes_max = kWaitingBytesMax)
      : turn_(turn), waiting_bytes_max_(waiting_bytes_max) {}

  /// Whether one more publication of those who are in may come in this turn.
  [[nodiscard]] bool has_room() const noexcept {
    return offers() < kOffersPerTurn && !turn_.is_over();
  }
  /// Whether a newcomer may come in now; if not, it has to wait().
  [[nodiscard]] bool is_open() const noexcept { return has_room() && rows_.empty(); }

  /// Lets somebody in part by part.
  using Enter = base::UniqueFunction<bool()>;
  /// Calls `enter` when all those of the realm have come in who wait already; and again, while it
  /// returns false because there was no room for all of it. `bytes` is what it keeps in memory. If
  /// it throws it is dropped, and the others come in as if it had not been there.
  void wait(const RealmPtr& realm, std::size_t bytes, Enter enter) noexcept;
  /// Whether somebody waits, or had to wait until the turn before. Those who come together from
  /// one connection come one after the other.
  [[nodiscard]] bool is_crowded() const noexcept {
    return !rows_.empty() || turn_that_let_in_ == turn_.number();
  }
  /// Whether more waits than should. From any thread.
  [[nodiscard]] bool is_full() const noexcept {
    return waiting_bytes_.load(std::memory_order_relaxed) > waiting_bytes_max_;
  }

  /// Says to how many subscribers something has been offered.
  void count(std::size_t offers) noexcept;
  /// How many there were in this turn.
  [[nodiscard]] std::size_t offers() const noexcept {
    return turn_of_offers_ == turn_.number() ? offers_ : 0;
  }
  /// In this turn, or if there were none, in the one before.
  [[nodiscard]] std::size_t recent_offers() const noexcept {
    return turn_of_offers_ + 1 >= turn_.number() ? offers_ : 0;
  }

  /// Drops what waits.
  void clear() noexcept {
    rows_.clear();
    leave_line();
  }

 private:
  struct Entrant {
    Enter enter;
    std::size_t bytes;
  };
  struct Row {
    explicit Row(RealmPtr its_realm) : realm(std::move(its_realm)), waiting(realm->use->waiting) {}
    RealmPtr realm;
    base::ByteShare waiting;
    std::deque<Entrant> entrants;
  };

  void go_on() override;
  void on_failed() noexcept override;
  void let_one_in(Row& row);
  void count_waiting(Row& row, std::size_t bytes);

  static constexpr std::uint64_t kNever = ~std::uint64_t{0};

  base::Turn& turn_;
  std::size_t waiting_bytes_max_;
  std::atomic<std::size_t> waiting_bytes_ = 0;
  std::deque<Row> rows_;  // the first is the next to be served
  std::size_t offers_ = 0;
  std::uint64_t turn_of_offers_ = kNever;
  std::uint64_t turn_that_let_in_ = kNever;
};

}  // namespace fanfare::core
