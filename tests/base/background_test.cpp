#include "base/background.hpp"

#include <atomic>
#include <future>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fanfare::base {
namespace {

using testing::ElementsAre;

/// Work that lasts until it is told to end, so that what comes behind it waits.
class Boulder {
 public:
  [[nodiscard]] Task work() {
    return [this] {
      begun_.set_value();
      ended_.get_future().wait();
    };
  }
  void wait_until_begun() { begun_.get_future().wait(); }
  void end() { ended_.set_value(); }

 private:
  std::promise<void> begun_;
  std::promise<void> ended_;
};

void wait_for_all(Background& background) {
  std::promise<void> done;
  ASSERT_TRUE(background.submit([&done] { done.set_value(); }));
  done.get_future().wait();
}

TEST(BackgroundTest, DoesItsWorkInOrderAndOnAnotherThread) {
  Background background;
  std::vector<int> done;
  std::thread::id thread;
  for (const int i : {1, 2, 3}) {
    ASSERT_TRUE(background.submit([&, i] {
      done.push_back(i);
      thread = std::this_thread::get_id();
    }));
  }
  wait_for_all(background);
  EXPECT_THAT(done, ElementsAre(1, 2, 3));
  EXPECT_NE(thread, std::this_thread::get_id());
}

TEST(BackgroundTest, LosesNothingThatComesFromSeveralThreads) {
  constexpr int kEach = 2'000;
  Background background(100'000);
  std::atomic<int> done{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < kEach; ++i) ASSERT_TRUE(background.submit([&done] { ++done; }));
      });
    }
  }
  wait_for_all(background);
  EXPECT_EQ(done, 4 * kEach);
}

TEST(BackgroundTest, TakesOnlySoMuchAndLeavesTheRestWithWhoAsks) {
  Background background(2);
  Boulder boulder;
  ASSERT_TRUE(background.submit(boulder.work()));
  boulder.wait_until_begun();
  int done = 0;
  const auto work = [&done] { ++done; };
  EXPECT_TRUE(background.submit(work));
  EXPECT_TRUE(background.submit(work));
  Task refused(work);
  EXPECT_FALSE(background.submit(std::move(refused)));
  EXPECT_TRUE(refused);  // NOLINT(bugprone-use-after-move): the point is that it is still here
  boulder.end();
  background.stop();
}

TEST(BackgroundTest, DropsWhatWaitsWhenItStopsAndTakesNoMore) {
  Background background(1'000'000);
  Boulder boulder;
  ASSERT_TRUE(background.submit(boulder.work()));
  boulder.wait_until_begun();
  bool was_done = false;
  std::thread::id destroyed_by;
  const auto note = [&destroyed_by](int* p) {
    destroyed_by = std::this_thread::get_id();
    delete p;
  };
  ASSERT_TRUE(background.submit([&was_done, held = std::unique_ptr<int, decltype(note)>(
                                                new int, note)] { was_done = true; }));
  std::thread ender([&] {
    while (background.submit([] {})) std::this_thread::yield();
    boulder.end();
  });
  background.stop();
  ender.join();
  EXPECT_FALSE(was_done);
  EXPECT_EQ(destroyed_by, std::this_thread::get_id());
  EXPECT_FALSE(background.submit([] {}));
  background.stop();
}

TEST(BackgroundTest, GoesOnAfterWorkThatThrows) {
  Background background;
  ASSERT_TRUE(background.submit([] { throw std::runtime_error("no luck"); }));
  wait_for_all(background);
}

}  // namespace
}  // namespace fanfare::base
