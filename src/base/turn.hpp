#pragma once

#include <cstdint>
#include <memory>

#include <boost/intrusive/list.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include "base/task.hpp"

namespace fanfare::base {

/// What something costs a worker: nanoseconds of CPU on the machine of docs/benchmarks.md. It is
/// counted, not measured, so the same input ends a turn at the same place every time.
using Work = std::uint64_t;

/// How much is done in one turn of a worker's loop. Everybody who works for a peer says what that
/// costs and stops when told to; he then stands in line and goes on in the next turn. The line has
/// a lane for each key (a visitor's address), and the lanes take turns: whoever brings a thousand
/// sockets waits no shorter than who brings one. The worker's own work, which serves everybody, has
/// a lane that goes first. One who throws stops none of the others.
///
/// Threads: one worker's. Ownership: borrows those who wait; destroying one takes him out of line.
/// Cost: an addition and a comparison while nobody has to wait.
class Turn {
 public:
  /// After this much, whoever comes has to wait: with the largest single piece of work behind it
  /// (a message of 1 MiB to be read, some 5 ms) a turn stays below 10 ms, and a newcomer waits for
  /// two at most.
  static constexpr Work kWorkMax = 4'000'000;
  /// What one of those who wait may do before the next has his turn.
  static constexpr Work kSlice = 500'000;

  /// The same of the worker's own: some 270 sends.
  static constexpr Work kOwnSlice = 1'500'000;

  /// A lane of the line. Addresses are hashes, so none is likely to be `kOwn`.
  using Lane = std::uint64_t;
  static constexpr Lane kOwn = 0;

  /// Somebody who had to stop.
  class Waiter : public boost::intrusive::list_base_hook<
                     boost::intrusive::tag<struct TurnWaiterTag>,
                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
   public:
    Waiter() = default;
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;
    [[nodiscard]] bool stands_in_line() const noexcept { return is_linked(); }
    void leave_line() noexcept { unlink(); }

   protected:
    virtual ~Waiter() {
      if (going_on_ == this) going_on_ = nullptr;
    }

   private:
    friend class Turn;
    /// Called out of line, once, with a slice of its own; may destroy the waiter, or wait again.
    virtual void go_on() = 0;
    /// go_on() threw, and this still lives. Nobody calls it again: it ends, or waits again.
    virtual void on_failed() noexcept = 0;

    // The one that is being called, until it is destroyed: whoever throws may have let go of
    // itself.
    inline static thread_local Waiter* going_on_ = nullptr;
  };

  /// `at_turn_end` runs a task when the events of this turn have been handled.
  explicit Turn(UniqueFunction<void(Task)> at_turn_end);
  ~Turn();

  /// Below this much nobody cares when the turn ends, which spares a quiet loop the task for it:
  /// what little was done is counted to the next one.
  static constexpr Work kNoticed = 200'000;

  /// Says that so much has been done.
  void spend(Work work) noexcept {
    spent_ += work;
    if (spent_ >= kNoticed && !ends_later_) end_later();
  }
  /// A peer's event begins: it has a slice.
  void begin_slice() noexcept { slice_end_ = spent_ + kSlice; }
  /// Whether whoever works now is to stop and wait.
  [[nodiscard]] bool has_to_stop() const noexcept { return spent_ >= slice_end_ || is_over(); }
  /// Whether enough has been done for one turn, so that nobody begins anything.
  [[nodiscard]] bool is_over() const noexcept { return spent_ >= work_max_; }
  [[nodiscard]] Work spent() const noexcept { return spent_; }
  /// How many turns have ended: changes when the next begins.
  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }

  /// Stands `waiter` in line, at the end of its lane. Once: who stands there already keeps his
  /// place.
  void wait(Waiter& waiter, Lane lane) noexcept;
  [[nodiscard]] bool has_waiting() const noexcept { return !line_.empty() || !own_.empty(); }

  /// Forgets who waits. For the end.
  void clear() noexcept;

 private:
  using Waiters =
      boost::intrusive::list<Waiter,
                             boost::intrusive::base_hook<boost::intrusive::list_base_hook<
                                 boost::intrusive::tag<struct TurnWaiterTag>,
                                 boost::intrusive::link_mode<boost::intrusive::auto_unlink>>>,
                             boost::intrusive::constant_time_size<false>>;
  struct Row;
  using Line = boost::intrusive::list<Row, boost::intrusive::constant_time_size<false>>;
  struct Row : boost::intrusive::list_base_hook<> {
    Lane lane;
    Waiters waiters;
  };

  void end_later() noexcept;
  void end() noexcept;
  void let_go_on(Waiters& waiters, Work slice) noexcept;
  void serve_own() noexcept;
  void serve_next_row() noexcept;

  UniqueFunction<void(Task)> at_turn_end_;
  Work spent_ = 0;
  Work slice_end_ = kSlice;
  Work work_max_ = kWorkMax;
  std::uint64_t number_ = 0;
  bool ends_later_ = false;
  Waiters own_;
  Line line_;  // the first row is the next to be served
  boost::unordered_flat_map<Lane, std::unique_ptr<Row>> rows_;
};

}  // namespace fanfare::base
