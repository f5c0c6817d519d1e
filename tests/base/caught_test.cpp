#include "base/caught.hpp"

#include <cstdlib>
#include <new>
#include <stdexcept>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/memory.hpp"

namespace fanfare::base {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

void fail(const std::string& how) {
  try {
    throw std::runtime_error(how);
  } catch (...) {
    report_caught("a test");
  }
}

// In a process of its own each, because the minute is counted for the whole process.

TEST(CaughtDeathTest, SaysWhatFailedAndHow) {
  const auto report = [] {
    fail("expected in this test");
    std::_Exit(0);
  };
  EXPECT_EXIT(report(), testing::ExitedWithCode(0),
              "a test failed and was ended, the others go on: expected in this test");
}

TEST(CaughtDeathTest, WritesOneLineAMinuteHoweverOftenItFails) {
  const auto report = [] {
    for (int i = 0; i < 1000; ++i) fail("number " + std::to_string(i));
    std::_Exit(caught_count() == 1000 ? 0 : 1);
  };
  EXPECT_EXIT(report(), testing::ExitedWithCode(0),
              AllOf(HasSubstr("number 0"), Not(HasSubstr("number 1"))));
}

TEST(CaughtDeathTest, EndsTheProcessWhenItWasWantOfMemory) {
  const auto report = [] {
    try {
      throw std::bad_alloc();
    } catch (...) {
      report_caught("a test");
    }
  };
  EXPECT_EXIT(report(), testing::ExitedWithCode(kOutOfMemoryStatus), "out of memory");
}

}  // namespace
}  // namespace fanfare::base
