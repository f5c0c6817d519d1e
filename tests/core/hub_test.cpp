#include "core/hub.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/publications.hpp"
#include "support/seed.hpp"

namespace fanfare::core {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class HubTest : public ::testing::Test {
 protected:
  std::vector<std::string> forgotten_;
  Hub hub_{[this](const ChannelPattern& gone) { forgotten_.push_back(gone.text()); }};
  Recorder ann_;
  Recorder bob_;
};

TEST_F(HubTest, DeliversToThoseOnTheChannelAndNobodyElse) {
  const auto ann = hub_.subscribe(pattern("/a"), ann_);
  const auto bob = hub_.subscribe(pattern("/b"), bob_);
  hub_.publish(publication("/a", "1"));
  EXPECT_THAT(ann_.data(), ElementsAre("1"));
  EXPECT_THAT(bob_.data(), IsEmpty());
}

TEST_F(HubTest, EverySubscriberGetsTheSameBytes) {
  const auto ann = hub_.subscribe(pattern("/a"), ann_);
  const auto bob = hub_.subscribe(pattern("/**"), bob_);
  const PublicationPtr one = publication("/a");
  hub_.publish(one);
  EXPECT_THAT(ann_.got, ElementsAre(one));
  EXPECT_THAT(bob_.got, ElementsAre(one));
}

TEST_F(HubTest, OffersAPublicationOncePerMatchingSubscriptionInARow) {
  std::vector<Subscription> held;
  for (const auto* text : {"/a/b", "/a/*", "/a/**", "/**", "/*", "/b/**"}) {
    held.push_back(hub_.subscribe(pattern(text), ann_));
  }
  const PublicationPtr one = publication("/a/b", "1");
  const PublicationPtr two = publication("/a/b", "2");
  hub_.publish(one);
  hub_.publish(two);
  EXPECT_THAT(ann_.got, ElementsAre(one, one, one, one, two, two, two, two));
}

TEST_F(HubTest, StopsWhenTheSubscriptionIsDestroyed) {
  {
    const auto ann = hub_.subscribe(pattern("/a"), ann_);
    hub_.publish(publication("/a", "1"));
  }
  hub_.publish(publication("/a", "2"));
  EXPECT_THAT(ann_.data(), ElementsAre("1"));
}

TEST_F(HubTest, FollowsASubscriptionThatIsMoved) {
  auto ann = hub_.subscribe(pattern("/a"), ann_);
  auto bob = hub_.subscribe(pattern("/a"), bob_);
  Subscription moved = std::move(ann);
  bob.reset();  // takes ann's place in the list
  hub_.publish(publication("/a", "1"));
  moved.reset();
  hub_.publish(publication("/a", "2"));
  EXPECT_THAT(ann_.data(), ElementsAre("1"));
  EXPECT_THAT(bob_.data(), IsEmpty());
  EXPECT_TRUE(hub_.is_empty());
}

TEST_F(HubTest, AssigningOverASubscriptionEndsIt) {
  auto held = hub_.subscribe(pattern("/a"), ann_);
  held = hub_.subscribe(pattern("/b"), ann_);
  EXPECT_THAT(forgotten_, ElementsAre("/a"));
  EXPECT_EQ(held.pattern().text(), "/b");
  auto& same = held;
  held = std::move(same);
  hub_.publish(publication("/b", "1"));
  EXPECT_THAT(ann_.data(), ElementsAre("1"));
}

TEST_F(HubTest, ForgetsAChannelWithItsLastSubscription) {
  auto first = hub_.subscribe(pattern("/a"), ann_);
  auto second = hub_.subscribe(pattern("/a"), bob_);
  first.reset();
  EXPECT_THAT(forgotten_, IsEmpty());
  EXPECT_TRUE(hub_.has_listeners(pattern("/a")));
  second.reset();
  EXPECT_THAT(forgotten_, ElementsAre("/a"));
  EXPECT_FALSE(hub_.has_listeners(pattern("/a")));
  EXPECT_TRUE(hub_.is_empty());
  second.reset();
  EXPECT_EQ(forgotten_.size(), 1U);
}

TEST_F(HubTest, TellsAPatternFromTheChannelItStandsOn) {
  auto one = hub_.subscribe(pattern("/a"), ann_);
  auto children = hub_.subscribe(pattern("/a/*"), ann_);
  auto all = hub_.subscribe(pattern("/a/**"), ann_);
  children.reset();
  EXPECT_TRUE(hub_.has_listeners(pattern("/a")));
  EXPECT_FALSE(hub_.has_listeners(pattern("/a/*")));
  EXPECT_TRUE(hub_.has_listeners(pattern("/a/**")));
}

/// Goal: no order of subscribe, unsubscribe, move and publish makes the hub disagree with a plain
/// map.
/// Method: 5000 random calls with 8 channels and patterns and 5 subscribers, compared after every
/// publish.
TEST_F(HubTest, AgreesWithAPlainMapUnderAnyOrderOfCalls) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE("FANFARE_SEED=" + std::to_string(seed));
  Dice dice(seed);
  const std::array<const char*, 8> patterns{"/a",   "/a/b", "/a/b/c", "/*",
                                            "/a/*", "/**",  "/a/**",  "/a/b/**"};
  const std::array<const char*, 6> channels{"/a", "/b", "/a/b", "/a/c", "/a/b/c", "/a/b/c/d"};
  struct Held {
    Subscription subscription;
    std::size_t subscriber;
    std::string text;
  };
  std::array<Recorder, 5> subscribers;
  std::vector<Held> held;
  std::multiset<std::string> forgotten_by_model;
  const auto is_held = [&held](const std::string& text) {
    return std::ranges::any_of(held, [&](const Held& one) { return one.text == text; });
  };

  for (int step = 0; step < 5000; ++step) {
    switch (dice.below(4)) {
      case 0: {
        const std::size_t who = dice.below(subscribers.size());
        const std::string text = dice.of(patterns);
        held.push_back({hub_.subscribe(pattern(text), subscribers[who]), who, text});
        break;
      }
      case 1: {
        if (held.empty()) break;
        std::swap(dice.of(held), held.back());
        const std::string text = held.back().text;
        held.pop_back();
        if (!is_held(text)) forgotten_by_model.insert(text);
        break;
      }
      case 2:
        if (!held.empty()) std::swap(dice.of(held), dice.of(held));
        break;
      default: {
        const std::string channel = dice.of(channels);
        for (Recorder& subscriber : subscribers) subscriber.got.clear();
        hub_.publish(publication(channel));
        std::array<std::size_t, 5> expected{};
        for (const Held& one : held) {
          if (pattern(one.text).matches(channel)) ++expected[one.subscriber];
        }
        for (std::size_t i = 0; i < expected.size(); ++i) {
          ASSERT_EQ(subscribers[i].got.size(), expected[i])
              << "on " << channel << ", step " << step;
        }
      }
    }
    for (const auto* text : patterns) {
      ASSERT_EQ(hub_.has_listeners(pattern(text)), is_held(text)) << text << ", step " << step;
    }
    ASSERT_EQ(hub_.is_empty(), held.empty());
  }
  EXPECT_EQ(std::multiset<std::string>(forgotten_.begin(), forgotten_.end()), forgotten_by_model);
}

}  // namespace
}  // namespace fanfare::core
