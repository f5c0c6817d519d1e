#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "core/hub.hpp"

namespace fanfare::protocol::bayeux {

/// What one session listens to, each once, found by its name. Most sessions have one or two; from
/// some on there is a table, or a client that names its thousand again and again would cost a
/// million comparisons each time.
class Subscriptions {
 public:
  /// From this many on there is a table of them.
  static constexpr std::size_t kTableFrom = 16;

  [[nodiscard]] bool contains(std::string_view pattern) const { return find(pattern) != kNone; }
  /// One that is not there yet. Returns what the worker keeps for it.
  std::size_t add(core::Subscription subscription);
  /// Does nothing if there is none. Returns what the worker keeps no more.
  std::size_t remove(std::string_view pattern);

  [[nodiscard]] std::size_t size() const noexcept { return all_.size(); }

 private:
  static constexpr std::size_t kNone = ~std::size_t{0};
  // A slot of the table: what those with many have too little is what those with few have too much.
  static constexpr std::size_t kSlotBytes = 20;
  using Table = boost::unordered_flat_map<std::string_view, std::uint32_t, core::KeyedHash>;

  [[nodiscard]] std::size_t find(std::string_view pattern) const;
  void make_table();

  std::vector<core::Subscription> all_;
  std::unique_ptr<Table> table_;  // the names are the topics' own
};

}  // namespace fanfare::protocol::bayeux
