#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/channel.hpp"
#include "core/publication.hpp"
#include "core/subscriber.hpp"

namespace fanfare::core {

inline PublicationPtr publication(std::string_view channel, std::string data = "1") {
  return std::make_shared<Publication>(
      Publication{*ChannelName::parse(channel, ChannelRules{}), std::move(data)});
}

inline ChannelPattern pattern(std::string_view text) {
  return *ChannelPattern::parse(text, ChannelRules{});
}

/// Notes what it gets.
class Recorder final : public Subscriber {
 public:
  void deliver(const PublicationPtr& publication) noexcept override { got.push_back(publication); }
  void missed() noexcept override { ++times_missed; }

  [[nodiscard]] std::vector<std::string> data() const {
    std::vector<std::string> all;
    for (const PublicationPtr& one : got) all.push_back(one->data);
    return all;
  }

  std::vector<PublicationPtr> got;
  int times_missed = 0;
};

}  // namespace fanfare::core
