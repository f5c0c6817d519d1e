#include "core/exchange.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fault.hpp"
#include "core/office.hpp"
#include "core/publications.hpp"
#include "support/seed.hpp"

namespace fanfare::core {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

RealmPtr realm(const char* id) {
  Realm made;
  made.id = RealmId(id);
  return std::make_shared<const Realm>(made);
}

void publish(
    Exchange& from, const RealmPtr& to, std::string_view channel, std::string data,
    base::Task accepted = [] {}) {
  std::vector<PublishItem> items(1);
  items[0].publication = publication(channel, std::move(data));
  from.publish(to, std::move(items), std::move(accepted));
}

class ExchangeTest : public ::testing::Test {
 protected:
  RealmPtr realm_ = realm("site");
};

TEST_F(ExchangeTest, OneWorkerDoesEverythingAtOnce) {
  Office office(1);
  Recorder ann;
  bool has_joined = false;
  const auto held = office[0].subscribe(realm_, pattern("/a"), ann, [&] { has_joined = true; });
  EXPECT_TRUE(has_joined);
  bool is_accepted = false;
  publish(office[0], realm_, "/a", "1", [&] { is_accepted = true; });
  EXPECT_TRUE(is_accepted);
  EXPECT_THAT(ann.data(), ElementsAre("1"));
  EXPECT_TRUE(office.is_idle());
}

void publish_after(Exchange& from, const RealmPtr& to, std::string_view channel, std::string data,
                   std::string prev_id) {
  std::vector<PublishItem> items(1);
  items[0].publication = publication(channel, std::move(data));
  items[0].prev_id = std::move(prev_id);
  from.publish(to, std::move(items), [] {});
}

// Whatever worker is home, publisher or listener.
TEST_F(ExchangeTest, WhatWaitsForItsPredecessorReachesEverybodyBeforeTheEnd) {
  Office office(2);
  std::array<Recorder, 2> ears;
  std::vector<Subscription> held;
  for (std::size_t worker = 0; worker < office.size(); ++worker)
    held.push_back(office[worker].subscribe(realm_, pattern("/**"), ears[worker], [] {}));
  office.carry_all();
  std::vector<std::string> all;
  for (const auto* channel : {"/a", "/b", "/c", "/d", "/e", "/f"}) {
    publish_after(office[all.size() % 2], realm_, channel, channel, "lost");
    all.emplace_back(channel);
  }
  office.carry_all();
  for (const Recorder& ear : ears) EXPECT_THAT(ear.data(), IsEmpty());
  for (std::size_t worker = 0; worker < office.size(); ++worker) office[worker].release_waiting();
  office.carry_all();
  for (const Recorder& ear : ears) EXPECT_THAT(ear.data(), testing::UnorderedElementsAreArray(all));

  // Nor is anything held back any more, in a realm that comes last either.
  const RealmPtr late = realm("late");
  Recorder ear;
  const auto subscription = office[0].subscribe(late, pattern("/a"), ear, [] {});
  office.carry_all();
  publish_after(office[1], late, "/a", "1", "lost");
  office.carry_all();
  EXPECT_THAT(ear.data(), ElementsAre("1"));
}

TEST_F(ExchangeTest, EveryWorkerReachesEveryOther) {
  Office office(4);
  for (std::size_t to = 0; to < office.size(); ++to) {
    Recorder ann;
    const auto held = office[to].subscribe(realm_, pattern("/a"), ann, [] {});
    office.carry_all();
    for (std::size_t from = 0; from < office.size(); ++from) {
      publish(office[from], realm_, "/a", std::to_string(from));
      office.carry_all();
    }
    EXPECT_THAT(ann.data(), ElementsAre("0", "1", "2", "3"));
  }
}

TEST_F(ExchangeTest, SaysJoinedOnlyWhenEveryHomeKnows) {
  Office office(3);
  Recorder ann;
  bool has_joined = false;
  const auto held = office[0].subscribe(realm_, pattern("/**"), ann, [&] { has_joined = true; });
  EXPECT_FALSE(has_joined);
  EXPECT_TRUE(office.carry(0, 1));
  EXPECT_TRUE(office.carry(1, 0));
  EXPECT_FALSE(has_joined);
  EXPECT_TRUE(office.carry(0, 2));
  EXPECT_FALSE(has_joined);
  EXPECT_TRUE(office.carry(2, 0));
  EXPECT_TRUE(has_joined);
  EXPECT_TRUE(office.is_idle());
}

TEST_F(ExchangeTest, AcceptsABatchWhenTheLastOfItsHomesHasIt) {
  Office office(4);
  std::vector<PublishItem> items(40);
  for (std::size_t i = 0; i < items.size(); ++i) {
    items[i].publication = publication("/c" + std::to_string(i));
  }
  int accepted = 0;
  office[0].publish(realm_, std::move(items), [&] { ++accepted; });
  EXPECT_EQ(accepted, 0);
  office.carry_all();
  EXPECT_EQ(accepted, 1);
}

TEST_F(ExchangeTest, AcceptsNothingAtOnce) {
  Office office(2);
  bool is_accepted = false;
  office[0].publish(realm_, {}, [&] { is_accepted = true; });
  EXPECT_TRUE(is_accepted);
}

TEST_F(ExchangeTest, ItemsOfOneChannelStayInOrder) {
  Office office(3);
  Recorder ann;
  const auto held = office[2].subscribe(realm_, pattern("/a"), ann, [] {});
  office.carry_all();
  std::vector<PublishItem> items(6);
  for (std::size_t i = 0; i < items.size(); ++i) {
    items[i].publication = publication(i % 2 == 0 ? "/a" : "/b", std::to_string(i));
  }
  office[1].publish(realm_, std::move(items), [] {});
  office.carry_all();
  EXPECT_THAT(ann.data(), ElementsAre("0", "2", "4"));
}

TEST_F(ExchangeTest, RealmsWithTheSameChannelsHearNothingOfEachOther) {
  Office office(3);
  const RealmPtr other = realm("other");
  Recorder ann;
  Recorder bob;
  const auto anns = office[0].subscribe(realm_, pattern("/**"), ann, [] {});
  const auto bobs = office[0].subscribe(other, pattern("/**"), bob, [] {});
  office.carry_all();
  for (std::size_t from = 0; from < office.size(); ++from) publish(office[from], other, "/a", "1");
  office.carry_all();
  EXPECT_THAT(ann.data(), IsEmpty());
  EXPECT_THAT(bob.data(), ElementsAre("1", "1", "1"));
}

TEST_F(ExchangeTest, DropsACopyWhicheverWorkerItCameBy) {
  Office office(3);
  Recorder ann;
  const auto held = office[0].subscribe(realm_, pattern("/a"), ann, [] {});
  office.carry_all();
  for (std::size_t from = 0; from < office.size(); ++from) {
    std::vector<PublishItem> items(1);
    items[0] = {publication("/a"), "same", {}, true};
    office[from].publish(realm_, std::move(items), [] {});
  }
  office.carry_all();
  EXPECT_EQ(ann.got.size(), 1U);
}

TEST_F(ExchangeTest, AHomeNoLongerForwardsToAWorkerWithoutListeners) {
  Office office(2);
  Recorder ann;
  for (std::size_t listener = 0; listener < 2; ++listener) {
    auto held = office[listener].subscribe(realm_, pattern("/a"), ann, [] {});
    office.carry_all();
    held.reset();
    office.carry_all();
  }
  publish(office[0], realm_, "/a", "1");
  publish(office[1], realm_, "/a", "2");
  // At most the way to the home and the answer; no third task that forwards.
  std::size_t carried = 0;
  while (office.carry(0, 1) || office.carry(1, 0)) ++carried;
  EXPECT_EQ(carried, 2U);
  EXPECT_THAT(ann.data(), IsEmpty());
}

/// A leave that is still on its way must not undo the join behind it.
TEST_F(ExchangeTest, WhoLeavesAndComesBackAtOnceIsNotDeaf) {
  Office office(3);
  for (const auto* text : {"/a", "/*", "/**"}) {
    for (std::size_t worker = 0; worker < office.size(); ++worker) {
      Recorder ann;
      auto held = office[worker].subscribe(realm_, pattern(text), ann, [] {});
      for (int i = 0; i < 3; ++i) {
        held.reset();
        held = office[worker].subscribe(realm_, pattern(text), ann, [] {});
      }
      office.carry_all();
      publish(office[0], realm_, "/a", "1");
      office.carry_all();
      EXPECT_THAT(ann.data(), ElementsAre("1")) << text << " on worker " << worker;
    }
  }
}

/// Goal: every subscriber gets what is published after `joined`, in the order of the channel's
/// home, once, and nothing that its pattern does not match; however mail is interleaved, and
/// whatever others subscribe and leave meanwhile.
/// Method: 3 workers, 3 channels, 5 patterns, 4000 random calls. One witness listens to everything
/// from the start and so sees the homes' order. Each life of a subscription has a recorder of its
/// own, which is judged when it ends.
TEST_F(ExchangeTest, DeliversEverythingAfterJoinedInOrderAndOnce) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE("FANFARE_SEED=" + std::to_string(seed));
  Dice dice(seed);
  Office office(3);
  const std::array<const char*, 3> channels{"/a", "/a/b", "/c"};
  const std::array<const char*, 5> patterns{"/a", "/a/b", "/*", "/a/**", "/**"};

  struct Published {
    std::string channel;
    bool is_settled = false;  // has reached everybody it will reach
  };
  struct Life {
    std::string text;
    Recorder recorder;
    Subscription subscription;
    bool has_joined = false;
    std::size_t first_due = 0;  // the first publication that is begun after `joined`
  };
  std::vector<Published> published;
  std::size_t accepted = 0;
  std::vector<std::unique_ptr<Life>> lives;
  std::vector<std::unique_ptr<Life>> ended;

  Life witness;
  witness.text = "/**";
  witness.subscription = office[0].subscribe(realm_, pattern("/**"), witness.recorder, [] {});
  office.carry_all();

  const auto note_idle = [&] {
    if (!office.is_idle()) return;
    for (Published& one : published) one.is_settled = true;
  };
  const auto judge = [&](const Life& life) {
    std::vector<std::size_t> got;
    for (const PublicationPtr& one : life.recorder.got) got.push_back(std::stoul(one->data));
    for (const std::size_t number : got) {
      ASSERT_TRUE(pattern(life.text).matches(published[number].channel)) << life.text;
      ASSERT_EQ(std::ranges::count(got, number), 1) << life.text << " got twice";
    }
    for (std::size_t number = life.first_due; life.has_joined && number < published.size();
         ++number) {
      const Published& one = published[number];
      if (!one.is_settled || !pattern(life.text).matches(one.channel)) continue;
      ASSERT_EQ(std::ranges::count(got, number), 1) << life.text << " missed " << number;
    }
  };
  for (int step = 0; step < 4000; ++step) {
    switch (dice.below(8)) {
      case 0:
      case 1: {
        published.push_back({dice.of(channels)});
        publish(office[dice.below(3)], realm_, published.back().channel,
                std::to_string(published.size() - 1), [&] { ++accepted; });
        break;
      }
      case 2: {
        lives.push_back(std::make_unique<Life>());
        Life& life = *lives.back();
        life.text = dice.of(patterns);
        life.subscription =
            office[dice.below(3)].subscribe(realm_, pattern(life.text), life.recorder, [&] {
              life.has_joined = true;
              life.first_due = published.size();
            });
        break;
      }
      case 3: {
        if (lives.size() < 4) break;
        std::swap(dice.of(lives), lives.back());
        judge(*lives.back());
        if (HasFatalFailure()) return;
        lives.back()->subscription.reset();
        ended.push_back(std::move(lives.back()));
        lives.pop_back();
        break;
      }
      case 4:
        if (dice.one_in(10)) office.carry_all();
        break;
      default:
        for (int i = 0; i < 3; ++i) office.carry_any(dice);
    }
    // Else what is offered adds up to more than one turn may offer, and the rest waits for ever.
    for (std::size_t worker = 0; worker < office.size(); ++worker) office.end_turn(worker);
    note_idle();
  }
  office.carry_all();
  note_idle();
  EXPECT_EQ(accepted, published.size());
  for (const auto& life : lives) judge(*life);
  judge(witness);

  // What the homes decided, as the witness saw it.
  std::map<const Publication*, std::size_t> place;
  for (const PublicationPtr& one : witness.recorder.got) place.emplace(one.get(), place.size());
  std::ranges::move(ended, std::back_inserter(lives));
  for (const auto& life : lives) {
    std::map<std::string, std::size_t> last;
    for (const PublicationPtr& one : life->recorder.got) {
      const auto [entry, is_first] = last.emplace(one->channel.text(), place.at(one.get()));
      if (is_first) continue;
      EXPECT_LT(entry->second, place.at(one.get())) << life->text << " out of order";
      entry->second = place.at(one.get());
    }
  }
}

#ifdef FANFARE_FAULTS
// ---- What throws

/// A task that was dropped without having run.
struct Dropped {
  bool has_run = false;
  bool is_gone = false;
  base::Task task() {
    const std::shared_ptr<Dropped> owned(this, [](Dropped* self) { self->is_gone = true; });
    return [owned] { owned->has_run = true; };
  }
};

/// Two workers and a channel that is at home on the other one.
class ExchangeFaultTest : public ExchangeTest {
 protected:
  ExchangeFaultTest() {
    for (int i = 0; far_.empty(); ++i) {
      const std::string channel = "/c" + std::to_string(i);
      publish(office_[0], realm_, channel, "0");
      if (!office_.is_idle()) far_ = channel;
      office_.carry_all();
    }
  }
  ~ExchangeFaultTest() override { base::faults::throw_at(0); }

  Office office_{2};
  std::string far_;
};

TEST_F(ExchangeFaultTest, APublishThatThrowsAtItsHomeIsDroppedWhereItCameFrom) {
  Dropped accepted;
  publish(office_[0], realm_, far_, "1", accepted.task());
  base::faults::throw_at_place("a publication at its home");
  EXPECT_THROW(office_.carry(0, 1), base::InjectedFault);
  EXPECT_FALSE(accepted.is_gone) << "that was the other worker's thread";
  office_.carry_all();
  EXPECT_TRUE(accepted.is_gone);
  EXPECT_FALSE(accepted.has_run);
}

TEST_F(ExchangeFaultTest, ASubscriptionThatThrowsAtItsHomeIsDroppedWhereItCameFrom) {
  Dropped joined;
  Recorder ann;
  const auto held = office_[0].subscribe(realm_, pattern(far_), ann, joined.task());
  base::faults::throw_at_place("a subscription at its home");
  EXPECT_THROW(office_.carry(0, 1), base::InjectedFault);
  office_.carry_all();
  EXPECT_TRUE(joined.is_gone);
  EXPECT_FALSE(joined.has_run);
}

TEST_F(ExchangeFaultTest, SubscribersAreToldOfWhatTheyMayHaveMissed) {
  Recorder ann;
  Recorder bob;
  Recorder eve;
  const auto anns = office_[0].subscribe(realm_, pattern("/a"), ann, [] {});
  const auto bobs = office_[1].subscribe(realm_, pattern("/**"), bob, [] {});
  const auto eves = office_[1].subscribe(realm_, pattern("/b"), eve, [] {});
  office_.carry_all();
  for (int i = 0; i < 2; ++i) {  // once on either worker
    base::faults::throw_at_place("an offer to subscribers");
    bool is_accepted = false;
    publish(office_[static_cast<std::size_t>(i)], realm_, "/a", "1", [&] { is_accepted = true; });
    office_.carry_all();
    EXPECT_TRUE(is_accepted) << "it has its place";
  }
  EXPECT_EQ(ann.got.size() + static_cast<std::size_t>(ann.times_missed), 2U);
  EXPECT_EQ(bob.got.size() + static_cast<std::size_t>(bob.times_missed), 2U);
  EXPECT_EQ(ann.times_missed + bob.times_missed, 2);
  EXPECT_EQ(eve.times_missed, 0);
}
#endif

}  // namespace
}  // namespace fanfare::core
