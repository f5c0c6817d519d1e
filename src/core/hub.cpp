#include "core/hub.hpp"

#include <utility>

#include "base/fault.hpp"

namespace fanfare::core {

using detail::Topic;
using Reach = ChannelPattern::Reach;

Subscription& Subscription::operator=(Subscription&& other) noexcept {
  if (this == &other) return *this;
  reset();
  topic_ = std::exchange(other.topic_, nullptr);
  index_ = other.index_;
  made_topic_ = other.made_topic_;
  if (topic_ != nullptr) topic_->listeners[index_].subscription = this;
  return *this;
}

void Subscription::reset() noexcept {
  if (topic_ == nullptr) return;
  Topic& topic = *std::exchange(topic_, nullptr);
  // The last listener takes the free place.
  Topic::Listener& freed = topic.listeners[index_];
  freed = topic.listeners.back();
  freed.subscription->index_ = index_;
  topic.listeners.pop_back();
  if (topic.listeners.empty()) topic.hub->forget(topic);
}

std::size_t Subscription::bytes() const noexcept {
  // Its entry here and in the topic, both in vectors that grow by half of what they hold.
  constexpr std::size_t kEntries = 32;
  if (!made_topic_) return kEntries;
  // The place in the table, and what the allocator adds.
  constexpr std::size_t kTable = 80;
  return kEntries + sizeof(Topic) + kTable + pattern().text().capacity();
}

Subscription Hub::subscribe(const ChannelPattern& pattern, Subscriber& subscriber) {
  Topics& table = topics(pattern.reach());
  auto found = table.find(pattern.base());
  if (found == table.end()) {
    auto made = std::make_unique<Topic>(Topic{this, pattern, {}});
    const std::string_view key = made->pattern.base();
    found = table.emplace(key, std::move(made)).first;
  }
  Subscription subscription;
  subscription.made_topic_ = found->second->listeners.empty();
  subscription.topic_ = found->second.get();
  subscription.index_ = static_cast<std::uint32_t>(subscription.topic_->listeners.size());
  subscription.topic_->listeners.push_back({&subscriber, &subscription});
  return subscription;
}

template <typename Visit>
void Hub::for_each_match(std::string_view channel, Visit visit) {
  const auto look = [&visit](const Topics& table, std::string_view key) {
    if (const auto found = table.find(key); found != table.end()) visit(found->second->listeners);
  };
  look(topics(Reach::one), channel);
  const Topics& children = topics(Reach::children);
  const Topics& descendants = topics(Reach::descendants);
  if (children.empty() && descendants.empty()) return;
  for_each_pattern_base(channel, [&](std::string_view base, bool is_parent) {
    if (is_parent) look(children, base);
    look(descendants, base);
  });
}

std::size_t Hub::publish(const PublicationPtr& publication) {
  std::size_t offers = 0;
  for_each_match(publication->channel.text(), [&](const auto& listeners) {
    FANFARE_MAY_THROW("an offer to subscribers");
    for (const Topic::Listener& listener : listeners) listener.subscriber->deliver(publication);
    offers += listeners.size();
  });
  return offers;
}

void Hub::miss(std::string_view channel) noexcept {
  for_each_match(channel, [](const auto& listeners) {
    for (const Topic::Listener& listener : listeners) listener.subscriber->missed();
  });
}

bool Hub::has_listeners(const ChannelPattern& pattern) const {
  return topics_[static_cast<std::size_t>(pattern.reach())].contains(pattern.base());
}

bool Hub::is_empty() const noexcept {
  return topics_[0].empty() && topics_[1].empty() && topics_[2].empty();
}

void Hub::forget(Topic& topic) noexcept {
  Topics& table = topics(topic.pattern.reach());
  const auto found = table.find(topic.pattern.base());
  const std::unique_ptr<Topic> last = std::move(found->second);
  table.erase(found);
  forgotten_(last->pattern);
}

}  // namespace fanfare::core
