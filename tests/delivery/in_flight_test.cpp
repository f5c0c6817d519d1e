#include "delivery/in_flight.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/publications.hpp"

namespace fanfare::delivery {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class InFlightTest : public ::testing::Test {
 protected:
  void add(int owner, const std::string& data, std::uint64_t end) {
    row_.add(core::Bundle::of(core::publication("/a", data)), owner, end);
  }
  std::vector<std::string> take(int owner, std::uint64_t written, const InKernel& kernel) {
    std::vector<std::string> back;
    uncertain_ = row_.take(owner, written, kernel, [&back](const core::BundlePtr& bundle) {
      back.push_back(bundle->last().data);
    });
    return back;
  }
  InFlight<int> row_;
  std::size_t uncertain_ = 0;
};

TEST_F(InFlightTest, WhatHasNotLeftComesBackTheNewestFirst) {
  add(1, "a", 100);
  add(1, "b", 200);
  add(1, "c", 300);
  EXPECT_THAT(take(1, 300, {.unsent = 200, .unacknowledged = 200}), ElementsAre("c", "b"));
  EXPECT_EQ(uncertain_, 0U);
  EXPECT_TRUE(row_.is_empty());
}

TEST_F(InFlightTest, WhatHasLeftInPartHasNotArrivedEither) {
  add(1, "a", 100);
  EXPECT_THAT(take(1, 100, {.unsent = 1, .unacknowledged = 100}), ElementsAre("a"));
}

TEST_F(InFlightTest, WhatHasLeftAndMayHaveArrivedIsCountedAndNotRepeated) {
  add(1, "a", 100);
  add(1, "b", 200);
  add(1, "c", 300);
  EXPECT_THAT(take(1, 300, {.unsent = 100, .unacknowledged = 200}), ElementsAre("c"));
  EXPECT_EQ(uncertain_, 1U);
}

TEST_F(InFlightTest, EachOwnerGetsItsOwn) {
  add(1, "a", 100);
  add(2, "b", 200);
  EXPECT_THAT(take(2, 200, {.unsent = 200, .unacknowledged = 200}), ElementsAre("b"));
  EXPECT_EQ(row_.newest_owner(), 1);
  EXPECT_THAT(take(1, 200, {.unsent = 200, .unacknowledged = 200}), ElementsAre("a"));
}

TEST_F(InFlightTest, ForgetsWhatHasArrived) {
  add(1, "a", 100);
  add(1, "b", 200);
  row_.look(200, 100);
  EXPECT_THAT(take(1, 200, {.unsent = 200, .unacknowledged = 200}), ElementsAre("b"));
  add(1, "c", 300);
  row_.look(300, 0);
  EXPECT_TRUE(row_.is_empty());
}

TEST_F(InFlightTest, IsDueNowAndThenHoweverLittleArrives) {
  std::uint64_t end = 0;
  int looks = 0;
  for (int i = 0; i < 1000; ++i) {
    add(1, "a", ++end);
    if (!row_.is_due()) continue;
    ++looks;
    row_.look(end, static_cast<std::size_t>(end));
  }
  EXPECT_LT(looks, 12) << "a peer that is far away is not asked about at every bundle";
}

TEST_F(InFlightTest, CountsOnBeyondFourGigabytes) {
  const std::uint64_t place = (std::uint64_t{1} << 32) - 50;
  add(1, "a", place);
  add(1, "b", place + 100);
  EXPECT_THAT(take(1, place + 100, {.unsent = 100, .unacknowledged = 100}), ElementsAre("b"));
}

TEST_F(InFlightTest, NothingComesBackWhenAllHasArrived) {
  add(1, "a", 100);
  EXPECT_THAT(take(1, 100, {}), IsEmpty());
  EXPECT_EQ(uncertain_, 0U);
}

}  // namespace
}  // namespace fanfare::delivery
