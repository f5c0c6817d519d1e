#pragma once

#include <cstddef>

#include <boost/intrusive/list.hpp>

#include "base/turn.hpp"
#include "core/bundle.hpp"
#include "core/exchange.hpp"
#include "core/subscriber.hpp"
#include "delivery/rows.hpp"

namespace fanfare::delivery {

using DepartingHook =
    boost::intrusive::list_base_hook<boost::intrusive::tag<struct DepartingTag>,
                                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// A subscriber that collects what a turn brings it, and sends it when the turn ends. Implemented
/// by each protocol's sessions.
class Departing : public core::Subscriber, public DepartingHook {
 public:
  /// Sends one bundle of what there is, if there is a way to send it. May end the subscriber. When
  /// more is left, it marks itself again: the others have their turn first. What throws in there
  /// ends the subscriber, and nobody else.
  virtual void depart() noexcept = 0;

 protected:
  ~Departing() = default;
};

/// Who sends when, on one worker: those who got something this turn, once it ends, so that what met
/// leaves in one go; so many of them in a turn, and those who have come first go first.
///
/// Threads: one worker's. Ownership: borrows those who depart; destroying one takes him out. Cost:
/// marking one is linking it into a list.
class Departures final : private base::Turn::Waiter {
 public:
  Departures(core::Exchange& exchange, const base::Clock& clock, base::TimerWheel& timers);

  /// It has something to send. Who is marked already keeps his place.
  void mark(Departing& one) noexcept {
    if (one.DepartingHook::is_linked()) return;
    marked_.push_back(one);
    if (!stands_in_line()) turn_.wait(*this, base::Turn::kOwn);
  }
  /// The bundle that begins with `publication`: the same for all to whom it is offered now.
  core::BundlePtr begin_row(const core::PublicationPtr& publication) {
    return root_.bundle_of(publication);
  }
  /// What several who wait for the same may share.
  [[nodiscard]] Rows& rows() noexcept { return rows_; }

  /// Lets all go at once, as before an end.
  void depart_all() noexcept;
  void clear() noexcept;

 private:
  void go_on() override;
  void on_failed() noexcept override;

  base::Turn& turn_;
  core::Intake& intake_;
  Rows rows_;
  core::BundleRoot root_;
  boost::intrusive::list<Departing, boost::intrusive::base_hook<DepartingHook>,
                         boost::intrusive::constant_time_size<false>>
      marked_;
  bool is_leaving_ = false;  // some of those who were marked at once have gone, not all
  int turns_waited_ = 0;
};

}  // namespace fanfare::delivery
