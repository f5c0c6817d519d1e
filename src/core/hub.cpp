#include "core/hub.hpp"

#include <utility>

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
  constexpr std::size_t kEntries = 48;
  if (!made_topic_) return kEntries;
  // The place in the table, and what the allocator adds.
  constexpr std::size_t kTable = 64;
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

std::size_t Hub::publish(const PublicationPtr& publication) {
  const std::string_view channel = publication->channel.text();
  std::size_t offers = deliver(topics(Reach::one), channel, publication);
  const Topics& children = topics(Reach::children);
  const Topics& descendants = topics(Reach::descendants);
  if (children.empty() && descendants.empty()) return offers;
  for_each_pattern_base(channel, [&](std::string_view base, bool is_parent) {
    if (is_parent) offers += deliver(children, base, publication);
    offers += deliver(descendants, base, publication);
  });
  return offers;
}

std::size_t Hub::deliver(const Topics& topics, std::string_view key,
                         const PublicationPtr& publication) {
  const auto found = topics.find(key);
  if (found == topics.end()) return 0;
  const auto& listeners = found->second->listeners;
  for (const Topic::Listener& listener : listeners) listener.subscriber->deliver(publication);
  return listeners.size();
}

bool Hub::has_listeners(const ChannelPattern& pattern) const {
  return topics_[static_cast<std::size_t>(pattern.reach())].contains(pattern.base());
}

bool Hub::is_empty() const noexcept {
  return topics_[0].empty() && topics_[1].empty() && topics_[2].empty();
}

void Hub::forget(Topic& topic) {
  Topics& table = topics(topic.pattern.reach());
  const auto found = table.find(topic.pattern.base());
  const std::unique_ptr<Topic> last = std::move(found->second);
  table.erase(found);
  forgotten_(last->pattern);
}

}  // namespace fanfare::core
