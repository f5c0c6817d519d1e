#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/random.hpp"
#include "base/task.hpp"
#include "core/channel.hpp"
#include "core/subscriber.hpp"

namespace fanfare::core {

struct KeyedHash {
  using is_avalanching = void;
  std::size_t operator()(std::string_view text) const noexcept { return base::keyed_hash(text); }
};

class Hub;
class Subscription;

namespace detail {

/// One channel or pattern that somebody of this worker listens to.
struct Topic {
  struct Listener {
    Subscriber* subscriber;
    Subscription* subscription;
  };
  Hub* hub;
  ChannelPattern pattern;
  std::vector<Listener> listeners;
};

}  // namespace detail

/// One subscriber on one channel or pattern. Holding it is the subscription: the hub forgets the
/// subscriber when it is destroyed. Must not outlive the hub.
class Subscription {
 public:
  Subscription() = default;
  Subscription(Subscription&& other) noexcept { *this = std::move(other); }
  Subscription& operator=(Subscription&& other) noexcept;
  ~Subscription() { reset(); }

  void reset() noexcept;
  /// What was subscribed to. Only while it is held.
  [[nodiscard]] const ChannelPattern& pattern() const noexcept { return topic_->pattern; }
  /// What it takes, with the topic if it was the first on it. Always the same.
  [[nodiscard]] std::size_t bytes() const noexcept;

 private:
  friend class Hub;
  detail::Topic* topic_ = nullptr;
  std::uint32_t index_ = 0;  // of our entry in topic_->listeners
  bool made_topic_ = false;
};

/// Who listens to what in one realm, for the sessions of one worker thread.
///
/// Threads: a hub belongs to one worker and is called only there. Publishing to all workers is
///   Exchange::publish().
/// Ownership: borrows subscribers. Destroying a Subscription removes its entry, so a subscriber
///   that owns its Subscriptions cannot be left behind. The hub must outlive them all.
/// Cost: subscribe and unsubscribe O(1); publish O(segments of the name + its subscribers).
class Hub {
 public:
  /// `forgotten(pattern)` is called when the last subscription on a channel or pattern has gone.
  explicit Hub(base::UniqueFunction<void(const ChannelPattern&)> forgotten)
      : forgotten_(std::move(forgotten)) {}
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  /// Starts delivery of what matches `pattern` to `subscriber`, from the next publish on.
  [[nodiscard]] Subscription subscribe(const ChannelPattern& pattern, Subscriber& subscriber);

  /// Offers the publication to everyone whose channel or pattern matches; returns to how many.
  std::size_t publish(const PublicationPtr& publication);
  /// Tells everyone who should have been offered something on `channel` that it may be lost.
  void miss(std::string_view channel) noexcept;

  [[nodiscard]] bool has_listeners(const ChannelPattern& pattern) const;
  [[nodiscard]] bool is_empty() const noexcept;

 private:
  friend class Subscription;
  // Keys point into the topics' own patterns. Never holds a topic without listeners.
  using Topics =
      boost::unordered_flat_map<std::string_view, std::unique_ptr<detail::Topic>, KeyedHash>;

  Topics& topics(ChannelPattern::Reach reach) { return topics_[static_cast<std::size_t>(reach)]; }
  void forget(detail::Topic& topic) noexcept;
  /// Calls `visit(const std::vector<Listener>&)` for each topic that `channel` matches.
  template <typename Visit>
  void for_each_match(std::string_view channel, Visit visit);

  base::UniqueFunction<void(const ChannelPattern&)> forgotten_;
  std::array<Topics, 3> topics_;  // by ChannelPattern::Reach, keyed by base()
};

}  // namespace fanfare::core
