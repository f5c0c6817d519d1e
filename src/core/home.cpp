#include "core/home.hpp"

#include <utility>

namespace fanfare::core {

using Reach = ChannelPattern::Reach;

Home::Home(const RealmLimits& limits, const base::Clock& clock, base::TimerWheel& timers,
           Forward forward)
    : forward_(std::move(forward)),
      sequencer_(limits, clock, timers, [this](const PublicationPtr& publication) {
        forward_(publication, interested_in(publication->channel.text()));
      }) {}

void Home::join(const ChannelPattern& pattern, WorkerIndex worker) noexcept {
  interest(pattern.reach())[std::string(pattern.base())].add(worker);
}

void Home::leave(const ChannelPattern& pattern, WorkerIndex worker) noexcept {
  Interest& table = interest(pattern.reach());
  const auto found = table.find(pattern.base());
  if (found == table.end()) return;
  found->second.remove(worker);
  if (found->second.is_empty()) table.erase(found);
}

WorkerSet Home::interested_in(std::string_view channel) const {
  WorkerSet workers;
  const auto add = [&workers](const Interest& table, std::string_view key) {
    if (const auto found = table.find(key); found != table.end()) workers |= found->second;
  };
  add(interest_[static_cast<std::size_t>(Reach::one)], channel);
  const Interest& children = interest_[static_cast<std::size_t>(Reach::children)];
  const Interest& descendants = interest_[static_cast<std::size_t>(Reach::descendants)];
  if (!children.empty() || !descendants.empty()) {
    for_each_pattern_base(channel, [&](std::string_view base, bool is_parent) {
      if (is_parent) add(children, base);
      add(descendants, base);
    });
  }
  return workers;
}

bool Home::is_empty() const noexcept {
  return interest_[0].empty() && interest_[1].empty() && interest_[2].empty() &&
         sequencer_.channel_count() == 0;
}

}  // namespace fanfare::core
