#include "core/sequencer.hpp"

#include <algorithm>
#include <utility>

namespace fanfare::core {

// As long as a site may be quiet between two links of a chain.
constexpr base::Duration kLastIdWindow = std::chrono::hours(24);
// Until a lane whose timer failed looks again.
constexpr base::Duration kSecondLook = std::chrono::seconds(1);

/// The ids of one channel. Lives as long as it remembers one or holds one back.
class Sequencer::Lane final : public base::Timer, public LaneHook {
 public:
  Lane(Sequencer& sequencer, std::string channel)
      : sequencer_(sequencer), channel_(std::move(channel)) {}

  [[nodiscard]] std::string_view channel() const noexcept { return channel_; }

  /// Whether there is nothing left to remember or to hold back.
  [[nodiscard]] bool is_idle() const noexcept {
    return waiting_.empty() && remembered_.empty() && last_id_.empty();
  }

  /// Lets all go that wait.
  void release_all() noexcept {
    while (!waiting_.empty()) release_waiting(0);
  }

  void offer(PublishItem item) noexcept {
    const base::TimePoint now = sequencer_.clock_.now();
    if (!item.id.empty()) {
      if (ids_.contains(item.id)) return;
      remember(item.id, now);
    }
    const bool is_next = item.prev_id.empty() || !item.waits_for_predecessor ||
                         !sequencer_.holds_back_ || has_gone(item.prev_id);
    if (is_next) {
      release(std::move(item));
    } else {
      waiting_.push_back({std::move(item), now + sequencer_.limits_.predecessor_wait_max});
      if (waiting_.size() > sequencer_.limits_.predecessor_waiting_max) release_waiting(0);
    }
    arm();
  }

 private:
  struct Waiting {
    PublishItem item;
    base::TimePoint deadline;
  };
  /// The table's keys point into `id`: a deque that grows and shrinks
  /// at its ends only never moves it.
  struct Remembered {
    std::string id;
    base::TimePoint until;
  };

  [[nodiscard]] bool has_gone(const std::string& id) const {
    if (id == last_id_) return true;
    const auto found = ids_.find(id);
    return found != ids_.end() && found->second;
  }

  void remember(const std::string& id, base::TimePoint now) {
    remembered_.push_back({id, now + sequencer_.limits_.publish_id_window});
    ids_.emplace(remembered_.back().id, false);
    if (remembered_.size() > sequencer_.limits_.channel_ids_max) forget_oldest();
  }

  void forget_oldest() {
    ids_.erase(remembered_.front().id);
    remembered_.pop_front();
  }

  /// Sends the item, and then those that waited for it, and those that waited for them.
  void release(PublishItem item) noexcept {
    std::vector<PublishItem> next;
    next.push_back(std::move(item));
    while (!next.empty()) {
      const PublishItem gone = std::move(next.back());
      next.pop_back();
      sequencer_.release_(gone.publication);
      if (gone.id.empty()) continue;
      if (const auto found = ids_.find(gone.id); found != ids_.end()) found->second = true;
      last_id_ = gone.id;
      last_id_until_ = sequencer_.clock_.now() + kLastIdWindow;
      const auto first_follower = std::stable_partition(
          waiting_.begin(), waiting_.end(),
          [&](const Waiting& waiting) { return waiting.item.prev_id != gone.id; });
      // Pushed from the last to the first, so that they leave the stack in the order they came.
      for (auto at = waiting_.end(); at != first_follower;) next.push_back(std::move((--at)->item));
      waiting_.erase(first_follower, waiting_.end());
    }
  }

  void release_waiting(std::size_t index) {
    PublishItem item = std::move(waiting_[index].item);
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(index));
    release(std::move(item));
  }

  void arm() {
    // Both rows are in the order of their deadlines.
    base::TimePoint next = base::TimePoint::max();
    if (!waiting_.empty()) next = waiting_.front().deadline;
    if (!remembered_.empty()) next = std::min(next, remembered_.front().until);
    if (!last_id_.empty()) next = std::min(next, last_id_until_);
    sequencer_.timers_.arm(*this, next);
  }

  void expire(base::TimePoint now) override {
    while (!waiting_.empty() && waiting_.front().deadline <= now) release_waiting(0);
    while (!remembered_.empty() && remembered_.front().until <= now) forget_oldest();
    if (last_id_until_ <= now) last_id_.clear();
    if (is_idle()) return sequencer_.forget(*this);
    arm();
  }
  void on_failed() noexcept override {
    sequencer_.timers_.arm(*this, sequencer_.clock_.now() + kSecondLook);
  }

  Sequencer& sequencer_;
  std::string channel_;
  std::vector<Waiting> waiting_;
  std::deque<Remembered> remembered_;
  // Whether the publication has gone out, by its id in remembered_. Keyed, since publishers choose
  // the ids, and where a realm lets anybody publish, anybody does.
  boost::unordered_flat_map<std::string_view, bool, KeyedHash> ids_;
  std::string last_id_;  // of what went out last; empty for none
  base::TimePoint last_id_until_;
};

Sequencer::Sequencer(const RealmLimits& limits, const base::Clock& clock, base::TimerWheel& timers,
                     Release release)
    : limits_(limits), clock_(clock), timers_(timers), release_(std::move(release)) {}

Sequencer::~Sequencer() {
  by_age_.clear();
}

void Sequencer::offer(PublishItem item) noexcept {
  if (item.id.empty() && item.prev_id.empty()) return release_(item.publication);
  const std::string& channel = item.publication->channel.text();
  auto found = lanes_.find(channel);
  if (found == lanes_.end()) {
    auto made = std::make_unique<Lane>(*this, channel);
    const std::string_view key = made->channel();
    found = lanes_.emplace(key, std::move(made)).first;
  }
  Lane& lane = *found->second;
  if (lane.LaneHook::is_linked()) by_age_.erase(by_age_.iterator_to(lane));
  by_age_.push_back(lane);
  lane.offer(std::move(item));
  if (lane.is_idle()) return forget(lane);
  if (lanes_.size() <= kLanesMax) return;
  by_age_.front().release_all();
  forget(by_age_.front());
}

void Sequencer::release_all() noexcept {
  holds_back_ = false;
  for (Lane& lane : by_age_) lane.release_all();
}

void Sequencer::forget(Lane& lane) {
  by_age_.erase(by_age_.iterator_to(lane));
  lanes_.erase(lane.channel());  // destroys it
}

}  // namespace fanfare::core
