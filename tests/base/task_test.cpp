#include "base/task.hpp"

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <gtest/gtest.h>

namespace fanfare::base {
namespace {

TEST(TaskTest, CarriesWhatCannotBeCopied) {
  auto number = std::make_unique<int>(5);
  int seen = 0;
  Task task = [number = std::move(number), &seen] { seen = *number; };
  Task moved = std::move(task);
  moved();
  EXPECT_EQ(seen, 5);
  static_assert(!std::is_copy_constructible_v<Task>);
}

TEST(TaskTest, SaysWhetherThereIsSomethingToCall) {
  Task task;
  EXPECT_FALSE(task);
  task = [] {};
  EXPECT_TRUE(task);
  const Task moved = std::move(task);
  EXPECT_TRUE(moved);
  EXPECT_FALSE(task);  // NOLINT(bugprone-use-after-move): that is what the test asks.
}

TEST(TaskTest, LetsGoOfWhatItCarriesWhenItIsDestroyedUncalled) {
  const auto shared = std::make_shared<int>(1);
  {
    const Task task = [shared] { static_cast<void>(shared); };
    EXPECT_EQ(shared.use_count(), 2);
  }
  EXPECT_EQ(shared.use_count(), 1);
}

TEST(TaskTest, KeepsItsStateFromCallToCall) {
  int last = 0;
  Task task = [count = 0, &last]() mutable { last = ++count; };
  task();
  task();
  EXPECT_EQ(last, 2);
}

TEST(TaskTest, PassesArgumentsOnAndTheResultBack) {
  UniqueFunction<std::string(std::unique_ptr<int>, const std::string&)> function =
      [](std::unique_ptr<int> number, const std::string& unit) {
        return std::to_string(*number) + unit;
      };
  EXPECT_EQ(function(std::make_unique<int>(3), "ms"), "3ms");
}

TEST(TaskTest, CopiesALambdaThatItsOwnerKeeps) {
  int calls = 0;
  const auto lambda = [&calls] { ++calls; };
  Task task = lambda;
  task();
  lambda();
  EXPECT_EQ(calls, 2);
}

}  // namespace
}  // namespace fanfare::base
