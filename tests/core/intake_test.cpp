#include "core/intake.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/office.hpp"
#include "core/publications.hpp"

namespace fanfare::core {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class IntakeTest : public ::testing::Test {
 protected:
  void crowd(std::size_t size) {
    crowd_.resize(size);
    for (Recorder& one : crowd_) {
      held_.push_back(office_[0].subscribe(realm_, pattern("/a"), one, [] {}));
    }
  }
  void publish(std::string data) { publish(std::vector<std::string>{std::move(data)}); }
  void publish(const std::vector<std::string>& batch) {
    std::vector<PublishItem> items(batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i)
      items[i].publication = publication("/a", batch[i]);
    office_[0].publish(realm_, std::move(items),
                       [this, last = batch.back()] { accepted_.push_back(last); });
  }

  Office office_{1};
  RealmPtr realm_ = [] {
    Realm made;
    made.id = RealmId("site");
    return std::make_shared<const Realm>(made);
  }();
  Recorder ann_;
  Subscription anns_ = office_[0].subscribe(realm_, pattern("/a"), ann_, [] {});
  std::vector<Recorder> crowd_;
  std::vector<Subscription> held_;
  Intake& intake_ = office_[0].intake();
  std::vector<std::string> accepted_;
};

TEST_F(IntakeTest, LetsALonePublicationInAtOnce) {
  publish("1");
  EXPECT_THAT(ann_.data(), ElementsAre("1"));
  EXPECT_THAT(accepted_, ElementsAre("1"));
}

TEST_F(IntakeTest, SpreadsABatchForManySubscribersOverSeveralTurns) {
  crowd(Intake::kOffersPerTurn / 2);
  publish({"1", "2", "3", "4", "5"});
  publish("6");
  EXPECT_THAT(ann_.data(), ElementsAre("1", "2"));
  EXPECT_TRUE(office_.end_turn());
  EXPECT_THAT(ann_.data(), ElementsAre("1", "2", "3", "4"));
  EXPECT_THAT(accepted_, IsEmpty());
  EXPECT_TRUE(office_.end_turn());
  EXPECT_THAT(ann_.data(), ElementsAre("1", "2", "3", "4", "5", "6"));
  EXPECT_THAT(accepted_, ElementsAre("5", "6"));
}

TEST_F(IntakeTest, LetsOnePublicationInEveryTurnHoweverManySubscribersThereAre) {
  crowd(2 * Intake::kOffersPerTurn);
  publish({"1", "2", "3"});
  EXPECT_THAT(ann_.data(), ElementsAre("1"));
  office_.end_turn();
  EXPECT_THAT(ann_.data(), ElementsAre("1", "2"));
  office_.end_turns();
  EXPECT_THAT(ann_.data(), ElementsAre("1", "2", "3"));
}

TEST_F(IntakeTest, HasRoomAgainInTheNextTurn) {
  crowd(Intake::kOffersPerTurn);
  publish("1");
  EXPECT_FALSE(intake_.is_open());
  office_.end_turns();
  EXPECT_TRUE(intake_.is_open());
  EXPECT_FALSE(intake_.is_crowded());
}

TEST_F(IntakeTest, IsCrowdedUntilTheTurnAfterTheLastWhoWaited) {
  crowd(Intake::kOffersPerTurn);
  publish("1");
  EXPECT_FALSE(intake_.is_crowded());
  publish("2");
  EXPECT_TRUE(intake_.is_crowded());
  office_.end_turn();
  EXPECT_THAT(accepted_, ElementsAre("1", "2"));
  EXPECT_TRUE(intake_.is_crowded());
  office_.end_turn();
  EXPECT_FALSE(intake_.is_crowded());
}

TEST_F(IntakeTest, LetsTheNextInWhenOneFails) {
  crowd(Intake::kOffersPerTurn);
  publish("1");
  intake_.wait(realm_, 1, []() -> bool { throw std::runtime_error("expected in this test"); });
  publish("2");
  office_.end_turns();
  EXPECT_THAT(accepted_, ElementsAre("1", "2"));
}

TEST_F(IntakeTest, RealmsTakeTurns) {
  Realm made;
  made.id = RealmId("other");
  const auto other = std::make_shared<const Realm>(made);
  crowd(Intake::kOffersPerTurn);
  publish({"1", "2", "3", "4", "5", "6", "7", "8"});
  std::vector<PublishItem> items(1);
  items[0].publication = publication("/b", "b");
  office_[0].publish(other, std::move(items), [this] { accepted_.emplace_back("b"); });
  EXPECT_THAT(accepted_, IsEmpty());
  office_.end_turn();
  office_.end_turn();
  EXPECT_THAT(accepted_, ElementsAre("b"));
  office_.end_turns();
  EXPECT_THAT(ann_.data(), ElementsAre("1", "2", "3", "4", "5", "6", "7", "8"));
}

TEST_F(IntakeTest, IsFullWhenMoreBytesWaitThanMay) {
  crowd(Intake::kOffersPerTurn);
  publish("1");
  EXPECT_TRUE(office_[0].check_backlog(*realm_));
  publish(std::string(Intake::kWaitingBytesMax, 'x'));
  const auto backlog = office_[0].check_backlog(*realm_);
  ASSERT_FALSE(backlog);
  EXPECT_EQ(backlog.error().code, base::Errc::unavailable);
  EXPECT_THAT(backlog.error().detail, testing::HasSubstr("publishing_bytes_max"));
  office_.end_turns();
  EXPECT_TRUE(office_[0].check_backlog(*realm_));
}

TEST(IntakeOfTwoTest, WhatComesFromAnotherHomeWaitsItsTurnToo) {
  Office office(2);
  Realm made;
  made.id = RealmId("site");
  const auto realm = std::make_shared<const Realm>(made);
  // A channel whose home is worker 1.
  std::string channel;
  for (int i = 0; channel.empty(); ++i) {
    std::vector<PublishItem> items(1);
    items[0].publication = publication("/c" + std::to_string(i));
    office[0].publish(realm, std::move(items), [] {});
    if (!office.is_idle()) channel = "/c" + std::to_string(i);
    office.carry_all();
  }
  std::vector<Recorder> crowd(Intake::kOffersPerTurn);
  std::vector<Subscription> held;
  for (Recorder& one : crowd) {
    held.push_back(office[0].subscribe(realm, pattern(channel), one, [] {}));
  }
  office.carry_all();
  std::vector<PublishItem> items(3);
  for (std::size_t i = 0; i < items.size(); ++i) {
    items[i].publication = publication(channel, std::to_string(i));
  }
  bool is_accepted = false;
  office[1].publish(realm, std::move(items), [&] { is_accepted = true; });
  EXPECT_TRUE(is_accepted);
  office.carry_all();
  EXPECT_THAT(crowd[0].data(), ElementsAre("0"));
  office.end_turn(0);
  EXPECT_THAT(crowd[0].data(), ElementsAre("0", "1"));
  office.end_turns(0);
  EXPECT_THAT(crowd[0].data(), ElementsAre("0", "1", "2"));
}

TEST_F(IntakeTest, ForgetsWhatWaitsWhenItIsCleared) {
  const auto owned = std::make_shared<int>();
  intake_.wait(realm_, 1, [owned] { return true; });
  intake_.clear();
  EXPECT_EQ(owned.use_count(), 1);
  EXPECT_EQ(realm_->use->waiting.used(), 0U);
}

TEST_F(IntakeTest, ARealmThatFloodsDoesNotSwitchOffTheOthers) {
  Realm made;
  made.id = RealmId("other");
  const auto other = std::make_shared<const Realm>(made);
  crowd(Intake::kOffersPerTurn);
  publish("1");
  publish(std::string(Intake::kWaitingBytesMax / 4, 'x'));
  EXPECT_TRUE(office_[0].check_backlog(*realm_)) << "a quarter waits";
  publish(std::string(Intake::kWaitingBytesMax / 2, 'x'));
  EXPECT_FALSE(office_[0].check_backlog(*realm_)) << "more than its half waits";
  EXPECT_TRUE(office_[0].check_backlog(*other));
  publish(std::string(Intake::kWaitingBytesMax, 'x'));
  EXPECT_TRUE(office_[0].check_backlog(*other)) << "for a little there is always place";
}

TEST_F(IntakeTest, DropsWhoeverThrowsAndLetsTheOthersIn) {
  crowd(Intake::kOffersPerTurn);
  publish(std::vector<std::string>{"1", "2"});  // the second waits, and whoever comes behind it
  intake_.wait(realm_, 100, []() -> bool { throw std::runtime_error("expected in this test"); });
  publish("3");
  office_.end_turns();
  EXPECT_THAT(ann_.data(), ElementsAre("1", "2", "3"));
  EXPECT_THAT(accepted_, ElementsAre("2", "3"));
  EXPECT_TRUE(intake_.is_open());
}

}  // namespace
}  // namespace fanfare::core
