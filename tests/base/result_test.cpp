#include "base/result.hpp"

#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace fanfare::base {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return Error{Errc::invalid, "give an even number"};
  return number / 2;
}

TEST(ResultTest, HoldsTheValueOfAnOperationThatWorked) {
  const auto result = half(8);
  ASSERT_TRUE(result.has_value());
  EXPECT_TRUE(result);
  EXPECT_EQ(result.value(), 4);
  EXPECT_EQ(*result, 4);
}

TEST(ResultTest, HoldsTheReasonOfAnOperationThatFailed) {
  const auto result = half(7);
  ASSERT_FALSE(result.has_value());
  EXPECT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::invalid);
  EXPECT_EQ(result.error().detail, "give an even number");
}

TEST(ResultTest, ReachesIntoTheValue) {
  Result<std::string> result = std::string("fan");
  result->append("fare");
  EXPECT_EQ(*result, "fanfare");
  *result = "out";
  EXPECT_EQ(std::as_const(result)->size(), 3U);
}

TEST(ResultTest, HandsOverAValueThatCannotBeCopied) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(12);
  const std::unique_ptr<int> taken = std::move(result).value();
  EXPECT_EQ(*taken, 12);
}

TEST(ResultTest, CarriesNothingButSuccessInAStatus) {
  const Status fine = Done{};
  const Status refused = Error{Errc::forbidden, "not yours"};
  EXPECT_TRUE(fine);
  EXPECT_EQ(refused.error().code, Errc::forbidden);
}

TEST(ResultDeathTest, EndsTheProcessWhenTheAbsentSideIsRead) {
  const auto worked = half(8);
  const auto failed = half(7);
  EXPECT_DEATH(static_cast<void>(worked.error()), "fanfare: bug");
  EXPECT_DEATH(static_cast<void>(failed.value()), "fanfare: bug");
}

}  // namespace
}  // namespace fanfare::base
