#include "delivery/rows.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/publications.hpp"

namespace fanfare::delivery {
namespace {

using core::publication;
using core::PublicationPtr;
using testing::ElementsAre;

class RowsTest : public ::testing::Test {
 protected:
  static Queue queue_of(const std::vector<PublicationPtr>& publications) {
    Queue queue;
    for (const PublicationPtr& one : publications) queue.push_back(one);
    return queue;
  }
  static std::vector<std::string> data_of(const core::BundlePtr& bundle) {
    std::vector<std::string> data;
    bundle->for_each([&data](const PublicationPtr& one) { data.push_back(one->data); });
    return data;
  }
  void advance(base::Duration by) {
    clock_.advance(by);
    wheel_.advance(clock_.now());
  }

  base::ManualClock clock_;
  base::TimerWheel wheel_{clock_.now()};
  std::size_t kept_ = 0;
  Rows rows_{clock_, wheel_, kept_};
  std::vector<PublicationPtr> three_{publication("/a", "1"), publication("/b", "2"),
                                     publication("/a", "3")};
};

TEST_F(RowsTest, TakesEverythingInOrder) {
  Queue queue = queue_of(three_);
  EXPECT_THAT(data_of(rows_.take(queue, 1000)), ElementsAre("1", "2", "3"));
  EXPECT_TRUE(queue.is_empty());
  EXPECT_EQ(queue.bytes(), 0U);
}

TEST_F(RowsTest, TakesAsMuchAsFitsButOneAtLeast) {
  Queue queue = queue_of({publication("/a", std::string(100, '1')), publication("/a", "2"),
                          publication("/a", "3"), publication("/a", "4")});
  EXPECT_EQ(rows_.take(queue, 50)->size(), 1U);
  EXPECT_THAT(data_of(rows_.take(queue, 6)), ElementsAre("2", "3"));
  EXPECT_THAT(data_of(rows_.take(queue, 6)), ElementsAre("4"));
}

TEST_F(RowsTest, WhoeverComesBackToTheSameRowGetsTheSameBundle) {
  Queue ann = queue_of(three_);
  Queue bob = queue_of(three_);
  const core::BundlePtr anns = rows_.take(ann, 1000);
  EXPECT_EQ(rows_.take(bob, 1000), anns);
  EXPECT_TRUE(bob.is_empty());
}

TEST_F(RowsTest, RowsThatBeginAndEndAlikeAreNotTheSame) {
  Queue ann = queue_of(three_);
  Queue bob = queue_of({three_[0], publication("/c", "other"), three_[2]});
  const core::BundlePtr anns = rows_.take(ann, 1000);
  EXPECT_THAT(data_of(rows_.take(bob, 1000)), ElementsAre("1", "other", "3"));
}

TEST_F(RowsTest, ManyGroupsMayComeBackInAnyOrder) {
  std::vector<std::vector<PublicationPtr>> groups;
  std::vector<core::BundlePtr> bundles;
  for (std::size_t i = 0; i < Rows::kRowsMax; ++i) {
    groups.push_back({publication("/a", std::to_string(i)), publication("/a", "x")});
    Queue queue = queue_of(groups.back());
    bundles.push_back(rows_.take(queue, 1000));
  }
  for (std::size_t i = Rows::kRowsMax; i-- > 0;) {
    Queue queue = queue_of(groups[i]);
    EXPECT_EQ(rows_.take(queue, 1000), bundles[i]);
  }
}

TEST_F(RowsTest, ForgetsWhatNobodyHasWhenTimeHasPassed) {
  Queue ann = queue_of(three_);
  rows_.take(ann, 1000)->form(0, [](std::string& form) { form.assign(5000, 'x'); });
  EXPECT_GE(kept_, 5000U);
  advance(Rows::kRemembered + base::TimerWheel::kTick);
  EXPECT_EQ(kept_, 0U);
}

}  // namespace
}  // namespace fanfare::delivery
