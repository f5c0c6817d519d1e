#pragma once

#include <array>
#include <cstddef>
#include <string>

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/clock.hpp"
#include "base/task.hpp"
#include "base/timer_wheel.hpp"
#include "core/channel.hpp"
#include "core/hub.hpp"
#include "core/publication.hpp"
#include "core/sequencer.hpp"
#include "core/worker_set.hpp"

namespace fanfare::core {

/// The channels of one realm that are at home on one worker. The home alone decides the order of a
/// channel's publications, and knows which other workers have listeners for it; its own worker's
/// hub knows that itself.
///
/// Threads: one worker's. Cost: publish O(segments of the name); join and leave O(1).
class Home {
 public:
  /// Passes a publication on to its own worker's hub, and to those of `workers`; called in the
  /// channel's order. Must not throw: what the home has taken has its place.
  using Forward = base::UniqueFunction<void(const PublicationPtr&, WorkerSet workers)>;

  Home(const RealmLimits& limits, const base::Clock& clock, base::TimerWheel& timers,
       Forward forward);

  void publish(PublishItem item) noexcept { sequencer_.offer(std::move(item)); }

  /// Lets all go that waits for a predecessor; from now on nothing does.
  void release_waiting() noexcept { sequencer_.release_all(); }

  /// From now on, `worker` gets what matches `pattern`.
  void join(const ChannelPattern& pattern, WorkerIndex worker) noexcept;
  void leave(const ChannelPattern& pattern, WorkerIndex worker) noexcept;

  [[nodiscard]] bool is_empty() const noexcept;

 private:
  struct TransparentEqual {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const noexcept { return a == b; }
  };
  struct TransparentHash : KeyedHash {
    using is_transparent = void;
  };
  // Never holds an empty set: the last leave erases the entry.
  using Interest =
      boost::unordered_flat_map<std::string, WorkerSet, TransparentHash, TransparentEqual>;

  Interest& interest(ChannelPattern::Reach reach) {
    return interest_[static_cast<std::size_t>(reach)];
  }
  [[nodiscard]] WorkerSet interested_in(std::string_view channel) const;

  Forward forward_;
  std::array<Interest, 3> interest_;  // by ChannelPattern::Reach, keyed by base()
  Sequencer sequencer_;
};

}  // namespace fanfare::core
