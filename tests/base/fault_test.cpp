#include "base/fault.hpp"

#include <string>

#include <gtest/gtest.h>

namespace fanfare::base {
namespace {

TEST(FaultTest, ThrowsAtThePassThatWasAskedForAndOnlyThere) {
  faults::throw_at(2);
  faults::pass("first");
  EXPECT_EQ(faults::thrown_at(), nullptr);
  EXPECT_THROW(faults::pass("second"), InjectedFault);
  faults::pass("third");
  EXPECT_EQ(std::string(faults::thrown_at()), "second");
  EXPECT_EQ(faults::passes(), 3U);
  faults::throw_at(0);
}

TEST(FaultTest, ThrowsOnceAtThePlaceThatWasNamed) {
  faults::throw_at_place("second");
  faults::pass("first");
  EXPECT_THROW(faults::pass("second"), InjectedFault);
  faults::pass("second");
}

TEST(FaultTest, CountsWithoutThrowing) {
  faults::throw_at(0);
  for (int i = 0; i < 5; ++i) faults::pass("anywhere");
  EXPECT_EQ(faults::passes(), 5U);
  EXPECT_TRUE(faults::places().contains("anywhere"));
  EXPECT_EQ(faults::thrown_at(), nullptr);
}

}  // namespace
}  // namespace fanfare::base
