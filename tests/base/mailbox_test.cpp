#include "base/mailbox.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace fanfare::base {
namespace {

std::vector<Task> take_all(Mailbox& mailbox) {
  std::vector<Task> tasks;
  mailbox.take_all(tasks);
  return tasks;
}

TEST(MailboxTest, HandsOutTasksInTheOrderInWhichTheyCame) {
  Mailbox mailbox;
  std::vector<int> order;
  for (int i = 0; i < 5; ++i) mailbox.put([i, &order] { order.push_back(i); });
  for (Task& task : take_all(mailbox)) task();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST(MailboxTest, AsksForAWakeUpOnlyWithTheFirstTask) {
  Mailbox mailbox;
  EXPECT_TRUE(mailbox.put([] {}));
  EXPECT_FALSE(mailbox.put([] {}));
  EXPECT_EQ(take_all(mailbox).size(), 2U);
  EXPECT_TRUE(mailbox.put([] {}));
}

TEST(MailboxTest, HandsOutEachTaskOnce) {
  Mailbox mailbox;
  mailbox.put([] {});
  EXPECT_EQ(take_all(mailbox).size(), 1U);
  EXPECT_TRUE(take_all(mailbox).empty());
}

TEST(MailboxTest, TakesATaskThatPutsAnotherOne) {
  Mailbox mailbox;
  bool second_ran = false;
  mailbox.put([&] { mailbox.put([&] { second_ran = true; }); });
  for (Task& task : take_all(mailbox)) task();
  EXPECT_FALSE(second_ran);
  for (Task& task : take_all(mailbox)) task();
  EXPECT_TRUE(second_ran);
}

TEST(MailboxTest, LetsGoOfTasksThatNobodyTook) {
  const auto shared = std::make_shared<int>(1);
  {
    Mailbox mailbox;
    mailbox.put([shared] { static_cast<void>(shared); });
    EXPECT_EQ(shared.use_count(), 2);
  }
  EXPECT_EQ(shared.use_count(), 1);
}

/// Goal: whatever threads put in comes out once, in each thread's own order, and the owner that
/// sleeps until it is woken never sleeps through a task.
/// Method: four threads put 5000 numbered tasks each; the owner waits on the wake-ups alone.
TEST(MailboxTest, LosesNothingAndKeepsEachThreadsOrder) {
  constexpr std::size_t kThreads = 4;
  constexpr std::size_t kTasksEach = 5000;
  Mailbox mailbox;
  std::atomic<std::size_t> wake_ups = 0;
  std::array<std::size_t, kThreads> next{};  // the owner's alone
  std::size_t out_of_order = 0;

  std::vector<std::jthread> threads;
  for (std::size_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (std::size_t i = 0; i < kTasksEach; ++i) {
        const bool wakes = mailbox.put([&, thread, i] {
          if (next[thread] != i) ++out_of_order;
          next[thread] = i + 1;
        });
        if (!wakes) continue;
        wake_ups.fetch_add(1);
        wake_ups.notify_one();
      }
    });
  }

  std::vector<Task> tasks;
  for (std::size_t done = 0, seen = 0; done < kThreads * kTasksEach;) {
    wake_ups.wait(seen);
    seen = wake_ups.load();
    mailbox.take_all(tasks);
    for (Task& task : tasks) task();
    done += tasks.size();
    tasks.clear();
  }
  EXPECT_EQ(out_of_order, 0U);
  for (const std::size_t count : next) EXPECT_EQ(count, kTasksEach);
}

}  // namespace
}  // namespace fanfare::base
