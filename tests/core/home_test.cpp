#include "core/home.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/publications.hpp"

namespace fanfare::core {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

WorkerIndex worker(int index) {
  return WorkerIndex(static_cast<std::uint8_t>(index));
}

class HomeTest : public ::testing::Test {
 protected:
  void publish(std::string_view channel) {
    workers_.clear();
    home_.publish({publication(channel), {}, {}, true});
  }

  RealmLimits limits_;
  base::ManualClock clock_;
  base::TimerWheel wheel_{clock_.now()};
  std::vector<int> workers_;
  int forwarded_ = 0;
  Home home_{limits_, clock_, wheel_, [this](const PublicationPtr&, WorkerSet workers) {
               ++forwarded_;
               workers.for_each([this](WorkerIndex one) { workers_.push_back(one.value()); });
             }};
};

TEST_F(HomeTest, PassesToNoOtherWorkerWhatNobodyThereListensTo) {
  home_.join(pattern("/b"), worker(1));
  publish("/a");
  EXPECT_EQ(forwarded_, 1);
  EXPECT_THAT(workers_, IsEmpty());
}

TEST_F(HomeTest, ForwardsToEveryWorkerWithListenersOnce) {
  home_.join(pattern("/a/b"), worker(3));
  home_.join(pattern("/a/*"), worker(3));
  home_.join(pattern("/a/*"), worker(0));
  home_.join(pattern("/**"), worker(63));
  home_.join(pattern("/a/b/**"), worker(5));
  publish("/a/b");
  EXPECT_THAT(workers_, ElementsAre(0, 3, 63));
  EXPECT_EQ(forwarded_, 1);
}

TEST_F(HomeTest, AWorkerThatLeavesGetsNothingMore) {
  home_.join(pattern("/a"), worker(1));
  home_.join(pattern("/a"), worker(2));
  home_.leave(pattern("/a"), worker(1));
  publish("/a");
  EXPECT_THAT(workers_, ElementsAre(2));
  home_.leave(pattern("/a"), worker(2));
  EXPECT_TRUE(home_.is_empty());
  publish("/a");
  EXPECT_THAT(workers_, IsEmpty());
}

TEST_F(HomeTest, LeavingOnePatternKeepsTheOthersOfTheSameBase) {
  home_.join(pattern("/a/*"), worker(1));
  home_.join(pattern("/a/**"), worker(1));
  home_.leave(pattern("/a/*"), worker(1));
  publish("/a/b");
  EXPECT_THAT(workers_, ElementsAre(1));
}

TEST_F(HomeTest, LeavingWhatWasNeverJoinedChangesNothing) {
  home_.leave(pattern("/a"), worker(1));
  home_.join(pattern("/a"), worker(2));
  home_.leave(pattern("/a"), worker(1));
  publish("/a");
  EXPECT_THAT(workers_, ElementsAre(2));
}

TEST_F(HomeTest, IsNotEmptyWhileItRemembersIds) {
  home_.publish({publication("/a"), "id", {}, true});
  EXPECT_FALSE(home_.is_empty());
  clock_.advance(std::chrono::hours(24) + 2 * base::TimerWheel::kTick);
  wheel_.advance(clock_.now());
  EXPECT_TRUE(home_.is_empty());
}

TEST_F(HomeTest, WhoJoinsWhileAPublicationIsHeldBackGetsIt) {
  home_.publish({publication("/a", "2"), "2", "1", true});
  home_.join(pattern("/a"), worker(1));
  home_.publish({publication("/a", "1"), "1", {}, true});
  EXPECT_EQ(forwarded_, 2);
}

}  // namespace
}  // namespace fanfare::core
