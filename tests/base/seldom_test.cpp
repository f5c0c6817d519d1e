#include "base/seldom.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fanfare::base::log {
namespace {

using testing::HasSubstr;
using testing::Not;

class SeldomTest : public ::testing::Test {
 protected:
  std::string said() {
    testing::internal::CaptureStderr();
    seldom_.warning(clock_.now(), "a peer is rude");
    return testing::internal::GetCapturedStderr();
  }

  ManualClock clock_;
  Seldom seldom_;
};

TEST_F(SeldomTest, SaysTheFirstOneAtOnceAndTheNextOnlyAfterAMinute) {
  EXPECT_THAT(said(), HasSubstr("a peer is rude\n"));
  clock_.advance(std::chrono::seconds(59));
  EXPECT_EQ(said(), "");
  clock_.advance(std::chrono::seconds(1));
  EXPECT_THAT(said(), HasSubstr("a peer is rude (1 more since the last line)\n"));
}

TEST_F(SeldomTest, CountsAfreshAfterEachLine) {
  said();
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(said(), "");
  clock_.advance(std::chrono::minutes(1));
  EXPECT_THAT(said(), HasSubstr("(1000 more since"));
  clock_.advance(std::chrono::minutes(1));
  EXPECT_THAT(said(), Not(HasSubstr("more")));
}

}  // namespace
}  // namespace fanfare::base::log
