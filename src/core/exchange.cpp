#include "core/exchange.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/caught.hpp"
#include "base/fault.hpp"

namespace fanfare::core {
namespace {

// With what the allocator and those who wait for the answer add.
constexpr std::size_t kWaitingOverhead = 512;
// Of one realm: some full messages.
constexpr std::size_t kWaitingAlways = 256_KiB;

std::size_t weight(const Publication& publication) {
  return publication.data.size() + publication.ext.size() + kWaitingOverhead;
}

}  // namespace

/// What this worker has of one realm.
struct Exchange::LocalRealm {
  LocalRealm(Exchange& exchange, const RealmPtr& its_realm)
      : realm(its_realm),
        home(realm->limits, exchange.clock_, exchange.timers_,
             [&exchange, this](const PublicationPtr& publication, WorkerSet workers) {
               exchange.forward(realm, publication, workers);
             }),
        hub([&exchange, this](const ChannelPattern& pattern) { exchange.leave(realm, pattern); }) {}

  RealmPtr realm;
  Home home;
  Hub hub;
};

/// Runs a task of one worker when several others have answered. The others only carry it there and
/// back: they move it, and never hold the last reference to what the task owns.
class Exchange::Countdown {
 public:
  Countdown(std::size_t count, base::Task done) : left_(count), done_(std::move(done)) {}
  void answer() {
    FANFARE_MAY_THROW("an answer from a home");
    if (--left_ == 0) std::exchange(done_, {})();
  }

 private:
  std::size_t left_;
  base::Task done_;
};

/// One home's part of a countdown, carried there with the task. Dropped there unpaid, because
/// something threw, it brings the countdown back all the same, to be dropped by its own worker.
class Exchange::Debt {
 public:
  Debt(Exchange& asker, std::shared_ptr<Countdown> countdown)
      : asker_(&asker), countdown_(std::move(countdown)) {}
  Debt(Debt&&) noexcept = default;
  Debt& operator=(Debt&&) = delete;
  ~Debt() {
    // By mail even from the asker's own thread: whoever threw is in the middle of something.
    if (countdown_) asker_->courier_.post(asker_->self_, [kept = std::move(countdown_)] {});
  }

  /// By the home, when it has done its part.
  void pay(Exchange& home) {
    home.at(asker_->self_.value(),
            [countdown = std::move(countdown_)](Exchange&) { countdown->answer(); });
  }

 private:
  Exchange* asker_;
  std::shared_ptr<Countdown> countdown_;
};

Exchange::Exchange(WorkerIndex self, const base::Clock& clock, base::TimerWheel& timers,
                   Courier& courier, const ExchangeLimits& limits)
    : self_(self),
      clock_(clock),
      timers_(timers),
      courier_(courier),
      turn_([this](base::Task task) { courier_.at_turn_end(std::move(task)); }),
      ledger_(turn_, limits.memory),
      waiting_bytes_max_(limits.waiting_bytes_max),
      intake_(turn_, limits.waiting_bytes_max) {}

Exchange::~Exchange() = default;

Exchange::LocalRealm& Exchange::local(const RealmPtr& realm) {
  auto& slot = realms_[realm->id.value()];
  if (!slot) {
    slot = std::make_unique<LocalRealm>(*this, realm);
    if (is_ending_) slot->home.release_waiting();
  }
  return *slot;
}

Hub& Exchange::hub(const RealmPtr& realm) {
  return local(realm).hub;
}

std::size_t Exchange::home_index(const Realm& realm, std::string_view channel) const {
  // The realm takes part, or every realm's "/events" would be at home on one worker.
  const std::uint64_t hash = base::keyed_hash(channel) +
                             std::hash<RealmId>{}(realm.id) * std::uint64_t{0x9e3779b97f4a7c15};
  return static_cast<std::size_t>((hash >> 32U) % all_.size());
}

template <typename Act>
void Exchange::at(std::size_t worker, Act act) {
  if (worker == self_.value()) return act(*this);
  Exchange* const there = all_[worker];
  courier_.post(there->self_, [there, act = std::move(act)]() mutable { act(*there); });
}

template <typename Visit>
void Exchange::for_each_home(const RealmPtr& realm, const ChannelPattern& pattern, Visit visit) {
  if (pattern.reach() == ChannelPattern::Reach::one) {
    return visit(home_index(*realm, pattern.base()));
  }
  for (std::size_t worker = 0; worker < all_.size(); ++worker) visit(worker);
}

Subscription Exchange::subscribe(const RealmPtr& realm, const ChannelPattern& pattern,
                                 Subscriber& subscriber, base::Task joined) {
  FANFARE_MAY_THROW("a subscription here");
  Subscription subscription = local(realm).hub.subscribe(pattern, subscriber);
  const bool is_one_channel = pattern.reach() == ChannelPattern::Reach::one;
  const std::size_t homes = is_one_channel ? std::size_t{1} : all_.size();
  const auto countdown = std::make_shared<Countdown>(homes, std::move(joined));
  for_each_home(realm, pattern, [&](std::size_t worker) {
    at(worker,
       [realm, pattern, debt = Debt(*this, countdown), asker = self_](Exchange& home) mutable {
         FANFARE_MAY_THROW("a subscription at its home");
         if (asker != home.self_) home.local(realm).home.join(pattern, asker);
         debt.pay(home);
       });
  });
  return subscription;
}

void Exchange::leave(const RealmPtr& realm, const ChannelPattern& pattern) noexcept {
  for_each_home(realm, pattern, [&](std::size_t worker) {
    at(worker, [realm, pattern, leaver = self_](Exchange& home) {
      if (leaver != home.self_) home.local(realm).home.leave(pattern, leaver);
    });
  });
}

void Exchange::publish(const RealmPtr& realm, std::vector<PublishItem> items, base::Task accepted) {
  FANFARE_MAY_THROW("a publish");
  std::vector<std::vector<PublishItem>> by_home(all_.size());
  std::size_t homes = 0;
  for (PublishItem& item : items) {
    auto& group = by_home[home_index(*realm, item.publication->channel.text())];
    if (group.empty()) ++homes;
    group.push_back(std::move(item));
  }
  if (homes == 0) return accepted();
  const auto countdown = std::make_shared<Countdown>(homes, std::move(accepted));
  for (std::size_t worker = 0; worker < by_home.size(); ++worker) {
    if (by_home[worker].empty()) continue;
    FANFARE_MAY_THROW("a publish on its way to a home");
    at(worker, [realm, group = std::move(by_home[worker]),
                debt = Debt(*this, countdown)](Exchange& home) mutable {
      home.let_in(realm, std::move(group),
                  [&home, debt = std::move(debt)]() mutable { debt.pay(home); });
    });
  }
}

template <typename Done>
void Exchange::let_in(const RealmPtr& realm, std::vector<PublishItem> items, Done done) {
  std::size_t bytes = 0;
  for (const PublishItem& item : items) bytes += weight(*item.publication);
  auto enter = [this, realm, items = std::move(items), done = std::move(done),
                next = std::size_t{0}]() mutable {
    Home& home = local(realm).home;
    while (next < items.size() && intake_.has_room()) {
      FANFARE_MAY_THROW("a publication at its home");
      home.publish(std::move(items[next++]));
    }
    if (next < items.size()) return false;
    done();
    return true;
  };
  if (!intake_.is_open() || !enter()) intake_.wait(realm, bytes, std::move(enter));
}

void Exchange::release_waiting() noexcept {
  is_ending_ = true;
  for (const auto& [id, here] : realms_) here->home.release_waiting();
}

base::Status Exchange::check_backlog(const Realm& realm) const {
  const std::size_t waiting = realm.use->waiting.used();
  // One realm that publishes as fast as it can must not switch off the others: half of the place
  // is the most that is its own, and for a little there is always place.
  if (waiting <= kWaitingAlways) return base::Done{};
  const bool has_its_half = waiting > waiting_bytes_max_ * all_.size() / 2;
  const bool is_full = has_its_half || std::ranges::any_of(all_, [](const Exchange* exchange) {
                         return exchange->intake_.is_full();
                       });
  if (!is_full) return base::Done{};
  return base::Error{base::Errc::unavailable,
                     "more is being published than can be delivered, and as much waits as "
                     "publishing_bytes_max allows; try again in a moment"};
}

void Exchange::forward(const RealmPtr& realm, const PublicationPtr& publication,
                       WorkerSet workers) noexcept {
  // The others first: what they do, they do at the same time.
  workers.for_each([&](WorkerIndex worker) {
    at(worker.value(), [realm, publication](Exchange& there) { there.arrive(realm, publication); });
  });
  offer(realm, publication);
}

void Exchange::arrive(const RealmPtr& realm, const PublicationPtr& publication) noexcept {
  if (intake_.is_open()) return offer(realm, publication);
  intake_.wait(realm, weight(*publication), [this, realm, publication] {
    offer(realm, publication);
    return true;
  });
}

void Exchange::offer(const RealmPtr& realm, const PublicationPtr& publication) noexcept {
  Hub& hub = local(realm).hub;
  try {
    FANFARE_MAY_THROW("a publication for the subscribers here");
    intake_.count(hub.publish(publication));
  } catch (...) {
    // Its publisher may have its 200 by now, so it is for the subscribers to know.
    base::report_caught("the delivery of a publication");
    hub.miss(publication->channel.text());
  }
}

}  // namespace fanfare::core
