#include "core/intake.hpp"

#include <memory>
#include <new>
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
  intake_.wait([]() -> bool { throw std::bad_alloc(); });
  publish("2");
  EXPECT_THROW(office_.end_turn(), std::bad_alloc);
  office_.end_turns();
  EXPECT_THAT(accepted_, ElementsAre("1", "2"));
}

TEST_F(IntakeTest, ForgetsWhatWaitsWhenItIsCleared) {
  const auto owned = std::make_shared<int>();
  intake_.wait([owned] { return true; });
  intake_.clear();
  EXPECT_EQ(owned.use_count(), 1);
}

}  // namespace
}  // namespace fanfare::core
