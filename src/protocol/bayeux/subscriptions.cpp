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

void Subscriptions::add(core::Subscription subscription) {
  bytes_ += subscription.bytes();
  all_.push_back(std::move(subscription));
  if (table_) {
    table_->emplace(all_.back().pattern().text(), static_cast<std::uint32_t>(all_.size() - 1));
    bytes_ += kSlotBytes;
  } else if (all_.size() == kTableFrom) {
    make_table();
  }
}

void Subscriptions::make_table() {
  table_ = std::make_unique<Table>();
  table_->reserve(2 * kTableFrom);
  for (std::size_t i = 0; i < all_.size(); ++i) {
    table_->emplace(all_[i].pattern().text(), static_cast<std::uint32_t>(i));
  }
  bytes_ += all_.size() * kSlotBytes;
}

void Subscriptions::remove(std::string_view pattern) {
  const std::size_t place = find(pattern);
  if (place == kNone) return;
  bytes_ -= all_[place].bytes();
  if (table_) {
    table_->erase(pattern);
    bytes_ -= kSlotBytes;
    // The last one takes the free place.
    if (place + 1 < all_.size()) {
      (*table_)[all_.back().pattern().text()] = static_cast<std::uint32_t>(place);
    }
  }
  all_[place] = std::move(all_.back());
  all_.pop_back();
}

}  // namespace fanfare::protocol::bayeux
