#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/intrusive/list.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include "base/clock.hpp"
#include "base/task.hpp"
#include "base/timer_wheel.hpp"
#include "core/hub.hpp"
#include "core/limits.hpp"
#include "core/publication.hpp"

namespace fanfare::core {

/// One item of a publish request.
struct PublishItem {
  PublicationPtr publication;
  /// Names this publication on its channel; empty for none. A second one with the same id is
  /// dropped.
  std::string id;
  /// The id of the one that has to go out before this one; empty for none.
  std::string prev_id;
  /// Publishers set this to false (`no-seq`) for what need not wait for its predecessor.
  bool waits_for_predecessor = true;
};

using LaneHook =
    boost::intrusive::list_base_hook<boost::intrusive::tag<struct SequencerLaneTag>,
                                     boost::intrusive::link_mode<boost::intrusive::safe_link>>;

/// Drops publications that come twice and puts those that overtook each other back in order, by the
/// ids that publishers give them. What has no ids passes straight through. The last id of a channel
/// is remembered longer than the others, so that a chain whose links are hours apart never waits.
///
/// Nothing is ever lost: a publication whose predecessor does not come within
/// `predecessor_wait_max`, or behind which too many wait, goes out all the same.
///
/// Threads: one worker's. Cost: a look-up by channel and one by id; nothing without ids.
class Sequencer {
 public:
  /// Must not throw: who stands behind in the same row has been promised that it goes out.
  using Release = base::UniqueFunction<void(const PublicationPtr&)>;

  Sequencer(const RealmLimits& limits, const base::Clock& clock, base::TimerWheel& timers,
            Release release);
  ~Sequencer();

  /// Channels whose ids are remembered. Beyond them, those that have not been published to for the
  /// longest time are forgotten, and what they hold back goes out.
  static constexpr std::size_t kLanesMax = 100'000;

  void offer(PublishItem item) noexcept;
  /// Lets all go that is held back, each channel in the order in which it came, and from now on
  /// holds nothing back. For the end: there is no time left to wait for a predecessor.
  void release_all() noexcept;

  /// How many channels have ids in memory.
  [[nodiscard]] std::size_t channel_count() const noexcept { return lanes_.size(); }

 private:
  class Lane;

  void forget(Lane& lane);

  const RealmLimits& limits_;
  const base::Clock& clock_;
  base::TimerWheel& timers_;
  Release release_;
  bool holds_back_ = true;
  boost::unordered_flat_map<std::string_view, std::unique_ptr<Lane>, KeyedHash> lanes_;
  // The one that was published to last is at the end.
  boost::intrusive::list<Lane, boost::intrusive::base_hook<LaneHook>> by_age_;
};

}  // namespace fanfare::core
