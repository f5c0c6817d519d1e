#include "core/exchange.hpp"

#include <algorithm>
#include <functional>
#include <utility>

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
    if (--left_ == 0) std::exchange(done_, {})();
  }

 private:
  std::size_t left_;
  base::Task done_;
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

template <typename Act>
void Exchange::at_homes(const RealmPtr& realm, const ChannelPattern& pattern, Act act) {
  if (pattern.reach() == ChannelPattern::Reach::one) {
    return at(home_index(*realm, pattern.base()), std::move(act));
  }
  for (std::size_t worker = 0; worker < all_.size(); ++worker) at(worker, act);
}

Subscription Exchange::subscribe(const RealmPtr& realm, const ChannelPattern& pattern,
                                 Subscriber& subscriber, base::Task joined) {
  Subscription subscription = local(realm).hub.subscribe(pattern, subscriber);
  const bool is_one_channel = pattern.reach() == ChannelPattern::Reach::one;
  const std::size_t homes = is_one_channel ? std::size_t{1} : all_.size();
  const auto countdown = std::make_shared<Countdown>(homes, std::move(joined));
  at_homes(realm, pattern, [realm, pattern, countdown, asker = self_](Exchange& home) mutable {
    if (asker != home.self_) home.local(realm).home.join(pattern, asker);
    home.at(asker.value(), [countdown = std::move(countdown)](Exchange&) { countdown->answer(); });
  });
  return subscription;
}

void Exchange::leave(const RealmPtr& realm, const ChannelPattern& pattern) {
  at_homes(realm, pattern, [realm, pattern, leaver = self_](Exchange& home) {
    if (leaver != home.self_) home.local(realm).home.leave(pattern, leaver);
  });
}

void Exchange::publish(const RealmPtr& realm, std::vector<PublishItem> items, base::Task accepted) {
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
    at(worker, [realm, group = std::move(by_home[worker]), countdown,
                asker = self_](Exchange& home) mutable {
      home.let_in(realm, std::move(group),
                  [&home, asker, countdown = std::move(countdown)]() mutable {
                    home.at(asker.value(),
                            [countdown = std::move(countdown)](Exchange&) { countdown->answer(); });
                  });
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
    while (next < items.size() && intake_.has_room()) home.publish(std::move(items[next++]));
    if (next < items.size()) return false;
    done();
    return true;
  };
  if (!intake_.is_open() || !enter()) intake_.wait(realm, bytes, std::move(enter));
}

void Exchange::release_waiting() {
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
                       WorkerSet workers) {
  // The others first: what they do, they do at the same time.
  workers.for_each([&](WorkerIndex worker) {
    at(worker.value(), [realm, publication](Exchange& there) { there.arrive(realm, publication); });
  });
  offer(realm, publication);
}

void Exchange::arrive(const RealmPtr& realm, const PublicationPtr& publication) {
  if (intake_.is_open()) return offer(realm, publication);
  intake_.wait(realm, weight(*publication), [this, realm, publication] {
    offer(realm, publication);
    return true;
  });
}

void Exchange::offer(const RealmPtr& realm, const PublicationPtr& publication) {
  intake_.count(local(realm).hub.publish(publication));
}

}  // namespace fanfare::core
