#include "base/memory.hpp"

#include <new>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fanfare::base {
namespace {

using testing::ExitedWithCode;
using testing::KilledBySignal;

template <typename Thrown>
void fail_with(Thrown thrown) {
  throw thrown;
}

constexpr const char* kWords = "fanfare: out of memory; ending at once.*memory_max";

TEST(MemoryDeathTest, AnAllocationThatFailsEndsTheProcess) {
  const auto fail = [] {
    end_when_out_of_memory();
    std::get_new_handler()();  // as `new` does; the sanitizers have a `new` of their own
  };
  EXPECT_EXIT(fail(), ExitedWithCode(kOutOfMemoryStatus), kWords);
}

TEST(MemoryDeathTest, SoDoesAnAllocatorThatThrowsBadAlloc) {
  const auto fail = []() noexcept {
    end_when_out_of_memory();
    fail_with(std::bad_alloc());
  };
  EXPECT_EXIT(fail(), ExitedWithCode(kOutOfMemoryStatus), kWords);
}

TEST(MemoryDeathTest, WhatPassesWhereNothingMayBeThrownIsNamed) {
  const auto fail = []() noexcept {
    end_when_out_of_memory();
    fail_with(std::runtime_error("a mistake"));
  };
  EXPECT_EXIT(fail(), KilledBySignal(SIGABRT), "thrown where nothing may be thrown: a mistake");
}

}  // namespace
}  // namespace fanfare::base
