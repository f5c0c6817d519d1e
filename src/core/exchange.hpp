#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/task.hpp"
#include "base/timer_wheel.hpp"
#include "base/turn.hpp"
#include "core/home.hpp"
#include "core/hub.hpp"
#include "core/intake.hpp"
#include "core/ledger.hpp"
#include "core/realm.hpp"
#include "core/worker_set.hpp"

namespace fanfare::core {

/// Brings a task to another worker's thread, or to a later time. Tasks from one worker to another
/// arrive in the order in which they were posted. post() may be called by any thread. Implemented
/// by server/.
class Courier {
 public:
  virtual void post(WorkerIndex to, base::Task task) noexcept = 0;
  /// Runs a task on this worker when the events of this turn of its loop have been handled.
  virtual void at_turn_end(base::Task task) noexcept = 0;

 protected:
  ~Courier() = default;
};

/// Of one worker.
struct ExchangeLimits {
  /// Publications that may wait to come in, see Intake.
  std::size_t waiting_bytes_max = Intake::kWaitingBytesMax;
  LedgerLimits memory = {};
};

/// One worker's end of what joins all workers: takes publications to the homes of their channels,
/// tells homes who listens, and hands what comes back to this worker's hubs.
///
/// Order: a channel's publications reach every session in the order in which its home took them,
/// because home → mailbox → hub → session are first-in, first-out each. A subscribe goes the same
/// way, so it stands at one definite place in that order.
///
/// What throws: what `joined` and `accepted` wait for may, here or at a home. They are then dropped
/// instead of called, on this thread, so whoever owes somebody an answer owes it in the destructor
/// of what they hold. What a home has taken reaches every subscriber, or Subscriber::missed() does.
///
/// Threads: one worker's. It touches another worker's exchange only inside a task posted there.
class Exchange {
 public:
  Exchange(WorkerIndex self, const base::Clock& clock, base::TimerWheel& timers, Courier& courier,
           const ExchangeLimits& limits = {});
  ~Exchange();

  /// Introduces the workers to each other, this one included, in the order of their indices. Once,
  /// before anything else.
  void meet(std::vector<Exchange*> all) { all_ = std::move(all); }

  /// Starts delivery to `subscriber`. `joined` runs, perhaps at once, when every home concerned
  /// knows: whatever is accepted from then on will be delivered.
  [[nodiscard]] Subscription subscribe(const RealmPtr& realm, const ChannelPattern& pattern,
                                       Subscriber& subscriber, base::Task joined);

  /// Brings the items to their homes; items of one channel stay in order. `accepted` runs, perhaps
  /// at once, when all of them have their place in their channels. When there is much to
  /// deliver, they wait at the door: see intake().
  void publish(const RealmPtr& realm, std::vector<PublishItem> items, base::Task accepted);

  /// Before the end: what its homes hold back for a predecessor goes on its way, and nothing is
  /// held back any more. When all workers have done so, have read the mail that they had from the
  /// others, and nobody waits at the door, whatever was accepted has been offered to everybody.
  void release_waiting() noexcept;

  /// To be asked before publish(): whether what waits to be passed on is as much as may wait, of
  /// the realm or, on any worker, of all together. The error says so to the publisher.
  [[nodiscard]] base::Status check_backlog(const Realm& realm) const;

  /// The realm's hub on this worker.
  [[nodiscard]] Hub& hub(const RealmPtr& realm);

  /// Through it come the publications whose channels are at home on this worker, and those from
  /// other homes.
  [[nodiscard]] Intake& intake() noexcept { return intake_; }
  /// What this worker does in a turn of its loop, and what peers make it keep.
  [[nodiscard]] base::Turn& turn() noexcept { return turn_; }
  [[nodiscard]] Ledger& ledger() noexcept { return ledger_; }

  [[nodiscard]] WorkerIndex self() const noexcept { return self_; }
  [[nodiscard]] std::size_t worker_count() const noexcept { return all_.size(); }

 private:
  struct LocalRealm;
  class Countdown;
  class Debt;

  LocalRealm& local(const RealmPtr& realm);
  /// As the home of the items' channels: takes them in order, and says when it has them all.
  template <typename Done>
  void let_in(const RealmPtr& realm, std::vector<PublishItem> items, Done done);
  /// As the worker of subscribers: takes what comes from another home.
  void arrive(const RealmPtr& realm, const PublicationPtr& publication) noexcept;
  void offer(const RealmPtr& realm, const PublicationPtr& publication) noexcept;
  void forward(const RealmPtr& realm, const PublicationPtr& publication,
               WorkerSet workers) noexcept;
  [[nodiscard]] std::size_t home_index(const Realm& realm, std::string_view channel) const;
  /// Runs `act(Exchange&)` on the worker, here and now if that is this one.
  template <typename Act>
  void at(std::size_t worker, Act act);
  /// Calls `visit(worker)` for every home that `pattern` concerns: one for a channel, all for a
  /// wildcard.
  template <typename Visit>
  void for_each_home(const RealmPtr& realm, const ChannelPattern& pattern, Visit visit);
  void leave(const RealmPtr& realm, const ChannelPattern& pattern) noexcept;

  WorkerIndex self_;
  bool is_ending_ = false;
  const base::Clock& clock_;
  base::TimerWheel& timers_;
  Courier& courier_;
  base::Turn turn_;
  Ledger ledger_;
  std::size_t waiting_bytes_max_;
  Intake intake_;
  std::vector<Exchange*> all_;
  boost::unordered_flat_map<std::string, std::unique_ptr<LocalRealm>> realms_;  // by realm id
};

}  // namespace fanfare::core
