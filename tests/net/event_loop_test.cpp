#include "net/event_loop.hpp"

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/loop_thread.hpp"

namespace fanfare::net {
namespace {

using testing::ElementsAre;

TEST(EventLoopTest, RunsTasksOnItsOwnThread) {
  LoopThread thread;
  EXPECT_NE(thread.call([] { return std::this_thread::get_id(); }), std::this_thread::get_id());
}

TEST(EventLoopTest, KeepsTheOrderOfEveryThreadThatPosts) {
  constexpr int kThreads = 4;
  constexpr int kTasks = 2000;
  LoopThread thread;
  std::vector<std::vector<int>> seen(kThreads);
  std::vector<std::thread> posters;
  for (std::size_t i = 0; i < kThreads; ++i) {
    posters.emplace_back([&, i] {
      for (int task = 0; task < kTasks; ++task) {
        thread.loop.post([&seen, i, task] { seen[i].push_back(task); });
      }
    });
  }
  for (std::thread& poster : posters) poster.join();
  thread.call([] {});
  for (const auto& tasks : seen) {
    ASSERT_EQ(tasks.size(), static_cast<std::size_t>(kTasks));
    EXPECT_TRUE(std::is_sorted(tasks.begin(), tasks.end()));
  }
}

TEST(EventLoopTest, RunsWhatATaskPosts) {
  LoopThread thread;
  std::promise<void> done;
  thread.loop.post([&] { thread.loop.post([&] { done.set_value(); }); });
  EXPECT_EQ(done.get_future().wait_for(std::chrono::seconds(5)), std::future_status::ready);
}

TEST(EventLoopTest, TheEndOfATurnComesAfterTheTasksOfThatTurn) {
  LoopThread thread;
  std::vector<int> order;
  std::promise<void> done;
  thread.call([&] {
    thread.loop.at_turn_end([&] {
      order.push_back(3);
      done.set_value();
    });
    order.push_back(1);
    order.push_back(2);
  });
  done.get_future().wait();
  EXPECT_THAT(order, ElementsAre(1, 2, 3));
}

TEST(EventLoopTest, GoesOnAfterATaskThatThrows) {
  LoopThread thread;
  thread.loop.post([] { throw std::runtime_error("expected in this test"); });
  bool has_run = false;
  thread.call([&] { has_run = true; });
  thread.call([&] {
    thread.loop.at_turn_end([] { throw std::runtime_error("expected in this test, too"); });
  });
  EXPECT_EQ(thread.call([] { return 7; }), 7);
  EXPECT_TRUE(has_run);
}

TEST(EventLoopTest, DropsATaskThatThrewWithAllThatItOwnsBeforeTheNext) {
  LoopThread thread;
  bool was_dropped = false;
  std::shared_ptr<bool> owned(&was_dropped, [](bool* dropped) { *dropped = true; });
  thread.call([&] {  // so that both come out of the mailbox at once
    thread.loop.post(
        [kept = std::move(owned)] { throw std::runtime_error("expected in this test"); });
    thread.loop.post([&] { EXPECT_TRUE(was_dropped); });
  });
  thread.call([] {});
  EXPECT_TRUE(was_dropped);
}

TEST(EventLoopTest, GoesOnAfterALaterTaskThatThrows) {
  LoopThread thread;
  std::promise<void> done;
  thread.call([&] {
    thread.loop.after(base::Duration(1), [] { throw std::runtime_error("expected in this test"); });
    thread.loop.after(base::Duration(20), [&] { done.set_value(); });
  });
  EXPECT_EQ(done.get_future().wait_for(std::chrono::seconds(5)), std::future_status::ready);
}

TEST(EventLoopTest, KeepsTickingAfterATimerThatThrows) {
  struct Alarm final : base::Timer {
    void expire(base::TimePoint) override { throw std::runtime_error("expected in this test"); }
    void on_failed() noexcept override { failed.set_value(); }
    std::promise<void> failed;
  };
  Alarm first;
  Alarm second;
  LoopThread thread;
  thread.call([&] {
    thread.loop.timers().arm(first, thread.clock.now() + std::chrono::seconds(30));
    thread.loop.timers().arm(second, thread.clock.now() + std::chrono::seconds(60));
  });
  thread.advance(std::chrono::seconds(31));
  EXPECT_EQ(first.failed.get_future().wait_for(std::chrono::seconds(5)), std::future_status::ready);
  thread.advance(std::chrono::seconds(31));
  EXPECT_EQ(second.failed.get_future().wait_for(std::chrono::seconds(5)),
            std::future_status::ready);
}

// A mailbox that says "wake" and whose owner is not woken sleeps for ever. There is nothing in
// between but memory, and want of that ends the process.
static_assert(noexcept(std::declval<EventLoop&>().post({})));
static_assert(noexcept(std::declval<base::Mailbox&>().put({})));

TEST(EventLoopTest, FiresTimersOfItsWheel) {
  struct Alarm final : base::Timer {
    void expire(base::TimePoint) override { rang.set_value(); }
    void on_failed() noexcept override {}
    std::promise<void> rang;
  };
  Alarm alarm;
  LoopThread thread;
  thread.call(
      [&] { thread.loop.timers().arm(alarm, thread.clock.now() + std::chrono::seconds(30)); });
  thread.advance(std::chrono::seconds(31));
  EXPECT_EQ(alarm.rang.get_future().wait_for(std::chrono::seconds(5)), std::future_status::ready);
}

TEST(EventLoopTest, RunsATaskSomeTimeLater) {
  LoopThread thread;
  std::promise<void> done;
  thread.call([&] { thread.loop.after(base::Duration(10), [&] { done.set_value(); }); });
  EXPECT_EQ(done.get_future().wait_for(std::chrono::seconds(5)), std::future_status::ready);
}

TEST(EventLoopTest, DropsWhatItHasNotGotToWithAllThatItOwns) {
  const auto owned = std::make_shared<int>(1);
  {
    LoopThread thread;
    thread.stop();
    thread.loop.post([owned] { FAIL() << "ran after the end"; });
    EXPECT_EQ(owned.use_count(), 2);
    thread.loop.discard_mail();
    EXPECT_EQ(owned.use_count(), 1);
    thread.loop.at_turn_end([owned] { FAIL() << "ran after the end"; });
  }
  EXPECT_EQ(owned.use_count(), 1);
}

}  // namespace
}  // namespace fanfare::net
