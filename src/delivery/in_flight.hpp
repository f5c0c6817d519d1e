#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <boost/container/small_vector.hpp>
#include <boost/intrusive/list.hpp>

#include "base/clock.hpp"
#include "base/timer_wheel.hpp"
#include "core/bundle.hpp"

namespace fanfare::delivery {

/// What the kernel has of a stream's bytes. `unsent` have not left this machine; `unacknowledged`,
/// those included, are not known to have arrived at the peer's.
struct InKernel {
  std::size_t unsent = 0;
  std::size_t unacknowledged = 0;
};

/// Lets a row of bundles stand in the list of those to be looked at.
using InFlightHook =
    boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// Bundles that went into the kernel and are not known to have arrived. When their connection dies,
/// or the session that they are of goes elsewhere, those of which a byte has never left can be sent
/// again. Of those that have left nobody knows; they are counted.
///
/// `Owner` names whose a bundle is, and is compared.
///
/// Cost: 32 bytes a bundle, and the bundle itself, until somebody looks: at every eighth bundle,
/// and once a second.
template <typename Owner>
class InFlight : public InFlightHook {
 public:
  /// Bundles after which it is time to ask the kernel.
  static constexpr std::size_t kLookEvery = 8;

  /// A bundle went in; `end` is the place in the stream behind its last byte.
  void add(const core::BundlePtr& bundle, const Owner& owner, std::uint64_t end) {
    items_.push_back({bundle, owner, static_cast<std::uint32_t>(end)});
  }
  [[nodiscard]] bool is_due() const noexcept { return items_.size() >= look_at_; }
  [[nodiscard]] bool is_empty() const noexcept { return items_.empty(); }
  [[nodiscard]] std::size_t own_bytes() const noexcept {
    return sizeof *this + items_.capacity() * sizeof(Item);
  }

  /// Forgets what has arrived: all but the last `unacknowledged` of the bytes `written`.
  void look(std::uint64_t written, std::size_t unacknowledged) {
    if (!items_.empty() && !is_behind(items_.back(), written - unacknowledged)) {
      items_.clear();  // nearly always
    } else {
      const auto first = std::find_if(items_.begin(), items_.end(), [&](const Item& item) {
        return is_behind(item, written - unacknowledged);
      });
      items_.erase(items_.begin(), first);
    }
    look_at_ = std::max(kLookEvery, 2 * items_.size());
  }

  /// Takes out what is `owner`'s, the newest first: calls `take_back(bundle)` for what has not left
  /// whole, and returns how many publications have left and may not have arrived.
  template <typename TakeBack>
  std::size_t take(const Owner& owner, std::uint64_t written, const InKernel& kernel,
                   TakeBack take_back) {
    std::size_t uncertain = 0;
    for (auto item = items_.rbegin(); item != items_.rend(); ++item) {
      if (!(item->owner == owner)) continue;
      if (is_behind(*item, written - kernel.unsent)) {
        take_back(item->bundle);
      } else if (is_behind(*item, written - kernel.unacknowledged)) {
        uncertain += item->bundle->size();
      }
    }
    const auto its = [&](const Item& item) { return item.owner == owner; };
    items_.erase(std::remove_if(items_.begin(), items_.end(), its), items_.end());
    return uncertain;
  }
  void clear() noexcept { items_.clear(); }
  /// Whose the newest bundle is.
  [[nodiscard]] const Owner& newest_owner() const noexcept { return items_.back().owner; }

 private:
  struct Item {
    core::BundlePtr bundle;
    Owner owner;
    // A row never spans 4 GiB, so the lower half of the place tells enough.
    std::uint32_t end;
  };
  static bool is_behind(const Item& item, std::uint64_t place) noexcept {
    return static_cast<std::int32_t>(item.end - static_cast<std::uint32_t>(place)) > 0;
  }

  boost::container::small_vector<Item, kLookEvery> items_;
  std::size_t look_at_ = kLookEvery;
};

}  // namespace fanfare::delivery
