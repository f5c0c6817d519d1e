#include "protocol/bayeux/subscriptions.hpp"

#include <algorithm>
#include <utility>

namespace fanfare::protocol::bayeux {

std::size_t Subscriptions::find(std::string_view pattern) const {
  if (table_) {
    const auto found = table_->find(pattern);
    return found == table_->end() ? kNone : found->second;
  }
  const auto found = std::ranges::find(all_, pattern, [](const core::Subscription& subscription) {
    return std::string_view(subscription.pattern().text());
  });
  return found == all_.end() ? kNone : static_cast<std::size_t>(found - all_.begin());
}

std::size_t Subscriptions::add(core::Subscription subscription) {
  all_.push_back(std::move(subscription));
  if (table_) {
    table_->emplace(all_.back().pattern().text(), static_cast<std::uint32_t>(all_.size() - 1));
  } else if (all_.size() == kTableFrom) {
    make_table();
  }
  return all_.back().bytes() + kSlotBytes;
}

void Subscriptions::make_table() {
  table_ = std::make_unique<Table>();
  table_->reserve(2 * kTableFrom);
  for (std::size_t i = 0; i < all_.size(); ++i) {
    table_->emplace(all_[i].pattern().text(), static_cast<std::uint32_t>(i));
  }
}

std::size_t Subscriptions::remove(std::string_view pattern) {
  const std::size_t place = find(pattern);
  if (place == kNone) return 0;
  const std::size_t bytes = all_[place].bytes() + kSlotBytes;
  if (table_) {
    table_->erase(pattern);
    // The last one takes the free place.
    if (place + 1 < all_.size()) {
      (*table_)[all_.back().pattern().text()] = static_cast<std::uint32_t>(place);
    }
  }
  all_[place] = std::move(all_.back());
  all_.pop_back();
  return bytes;
}

}  // namespace fanfare::protocol::bayeux
