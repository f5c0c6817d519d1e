#include "base/timer_wheel.hpp"

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace fanfare::base {
namespace {

using std::chrono::milliseconds;

class TestTimer final : public Timer {
 public:
  explicit TestTimer(std::function<void(TimePoint)> on_expire = [](TimePoint) {})
      : on_expire_(std::move(on_expire)) {}

  int fired = 0;
  int failed = 0;

 private:
  void expire(TimePoint now) override {
    ++fired;
    on_expire_(now);
  }
  void on_failed() noexcept override { ++failed; }

  std::function<void(TimePoint)> on_expire_;
};

class TimerWheelTest : public ::testing::Test {
 protected:
  void advance(Duration by) {
    clock_.advance(by);
    wheel_.advance(clock_.now());
  }
  [[nodiscard]] TimePoint in(Duration duration) const { return clock_.now() + duration; }

  ManualClock clock_;
  TimerWheel wheel_{clock_.now()};
};

TEST_F(TimerWheelTest, FiresOnceAtTheDeadlineAndNotBefore) {
  TestTimer timer;
  wheel_.arm(timer, in(milliseconds(100)));
  EXPECT_TRUE(timer.is_armed());
  advance(milliseconds(99));
  EXPECT_EQ(timer.fired, 0);
  advance(milliseconds(1));
  EXPECT_EQ(timer.fired, 1);
  EXPECT_FALSE(timer.is_armed());
  advance(std::chrono::hours(1));
  EXPECT_EQ(timer.fired, 1);
}

TEST_F(TimerWheelTest, IsAtMostOneTickLate) {
  TestTimer timer;
  wheel_.arm(timer, in(milliseconds(101)));
  advance(milliseconds(149));
  EXPECT_EQ(timer.fired, 0);
  advance(milliseconds(1));
  EXPECT_EQ(timer.fired, 1);
}

TEST_F(TimerWheelTest, TellsTheTimerWhatTimeItIs) {
  std::optional<TimePoint> told;
  TestTimer timer([&](TimePoint now) { told = now; });
  wheel_.arm(timer, in(milliseconds(50)));
  advance(milliseconds(180));
  EXPECT_EQ(told, clock_.now());
}

TEST_F(TimerWheelTest, FiresADeadlineInThePastAtTheNextTick) {
  advance(std::chrono::seconds(5));
  TestTimer timer;
  wheel_.arm(timer, in(-std::chrono::seconds(2)));
  EXPECT_EQ(timer.fired, 0);
  advance(TimerWheel::kTick);
  EXPECT_EQ(timer.fired, 1);
}

TEST_F(TimerWheelTest, MovesATimerThatIsArmedAgain) {
  TestTimer timer;
  wheel_.arm(timer, in(milliseconds(100)));
  wheel_.arm(timer, in(milliseconds(500)));
  advance(milliseconds(450));
  EXPECT_EQ(timer.fired, 0);
  advance(milliseconds(50));
  EXPECT_EQ(timer.fired, 1);
}

TEST_F(TimerWheelTest, ForgetsATimerThatIsCancelledOrDestroyed) {
  TestTimer cancelled;
  auto destroyed = std::make_unique<TestTimer>([](TimePoint) { FAIL() << "fired after its end"; });
  wheel_.arm(cancelled, in(milliseconds(100)));
  wheel_.arm(*destroyed, in(milliseconds(100)));
  cancelled.cancel();
  destroyed.reset();
  advance(std::chrono::seconds(1));
  EXPECT_EQ(cancelled.fired, 0);
  EXPECT_FALSE(cancelled.is_armed());
}

TEST_F(TimerWheelTest, TellsATimerThatThrewAndFiresTheOthers) {
  TestTimer before;
  TestTimer throwing([](TimePoint) { throw std::runtime_error("expected in this test"); });
  TestTimer after;
  for (TestTimer* timer : {&before, &throwing, &after}) wheel_.arm(*timer, in(milliseconds(100)));
  advance(milliseconds(100));
  EXPECT_EQ(before.fired, 1);
  EXPECT_EQ(after.fired, 1);
  EXPECT_EQ(throwing.failed, 1);
  EXPECT_EQ(before.failed + after.failed, 0);
  EXPECT_FALSE(throwing.is_armed());
}

TEST_F(TimerWheelTest, TellsATimerThatThrewAfterItHadArmedItself) {
  TestTimer throwing([&](TimePoint) {
    wheel_.arm(throwing, in(milliseconds(100)));
    throw std::runtime_error("expected in this test");
  });
  wheel_.arm(throwing, in(milliseconds(100)));
  advance(milliseconds(100));
  EXPECT_EQ(throwing.failed, 1);
  advance(milliseconds(100));
  EXPECT_EQ(throwing.fired, 2);
}

TEST_F(TimerWheelTest, TellsNothingToATimerThatThrewWhenItHadEndedItself) {
  std::unique_ptr<TestTimer> timer;
  timer = std::make_unique<TestTimer>([&timer](TimePoint) {
    // The function dies with its timer, so what it still needs is its own.
    auto* const owner = &timer;
    owner->reset();
    throw std::runtime_error("expected in this test");
  });
  wheel_.arm(*timer, in(milliseconds(100)));
  advance(milliseconds(100));
  EXPECT_EQ(timer, nullptr);
}

TEST_F(TimerWheelTest, WaitsForDeadlinesBeyondOneTurnOfTheWheel) {
  TestTimer timer;
  wheel_.arm(timer, in(std::chrono::minutes(10)));
  for (int seconds = 1; seconds < 600; ++seconds) advance(std::chrono::seconds(1));
  EXPECT_EQ(timer.fired, 0);
  advance(std::chrono::seconds(1));
  EXPECT_EQ(timer.fired, 1);
}

TEST_F(TimerWheelTest, FiresEverythingDueAfterALongSleep) {
  std::vector<std::unique_ptr<TestTimer>> timers;
  for (int i = 1; i <= 100; ++i) {
    timers.push_back(std::make_unique<TestTimer>());
    wheel_.arm(*timers.back(), in(std::chrono::seconds(7 * i)));
  }
  TestTimer later;
  wheel_.arm(later, in(std::chrono::hours(2)));
  advance(std::chrono::hours(1));
  for (const auto& timer : timers) EXPECT_EQ(timer->fired, 1);
  EXPECT_EQ(later.fired, 0);
  EXPECT_TRUE(later.is_armed());
}

TEST_F(TimerWheelTest, LetsATimerArmItselfAgain) {
  TestTimer* self = nullptr;
  TestTimer timer([&](TimePoint now) { wheel_.arm(*self, now + milliseconds(100)); });
  self = &timer;
  wheel_.arm(timer, in(milliseconds(100)));
  for (int i = 0; i < 10; ++i) advance(milliseconds(100));
  EXPECT_EQ(timer.fired, 10);
}

TEST_F(TimerWheelTest, LetsATimerDestroyItselfAndOthersDueAtTheSameTime) {
  std::unique_ptr<TestTimer> first;
  auto second = std::make_unique<TestTimer>([](TimePoint) { FAIL() << "fired after its end"; });
  int fired = 0;
  first = std::make_unique<TestTimer>([&](TimePoint) {
    ++fired;
    second.reset();
    first.reset();
  });
  wheel_.arm(*first, in(milliseconds(100)));
  wheel_.arm(*second, in(milliseconds(100)));
  advance(milliseconds(100));
  EXPECT_EQ(fired, 1);
}

TEST_F(TimerWheelTest, IgnoresAClockThatStandsStillOrGoesBack) {
  TestTimer timer;
  wheel_.arm(timer, in(milliseconds(100)));
  advance(milliseconds(80));
  wheel_.advance(clock_.now() - milliseconds(50));
  wheel_.advance(clock_.now());
  EXPECT_EQ(timer.fired, 0);
  advance(milliseconds(20));
  EXPECT_EQ(timer.fired, 1);
}

std::uint64_t test_seed() {
  const char* const given = std::getenv("FANFARE_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
}

/// What the wheel promises, kept in the plainest way: one deadline per timer, looked at in turn.
struct Model {
  struct Entry {
    std::optional<TimePoint> deadline;
    int fired = 0;
  };

  std::vector<Entry> entries;
};

/// Goal: no order of arming, moving, cancelling and sleeping makes the wheel fire early, more than
/// one tick late, twice, or never.
/// Method: 20,000 random calls on 50 timers with deadlines up to three turns of the wheel ahead,
/// compared with a list of deadlines after every step of the clock.
TEST_F(TimerWheelTest, AgreesWithAPlainListUnderAnyOrderOfCalls) {
  const std::uint64_t seed = test_seed();  // FANFARE_SEED=<n> repeats a failure
  SCOPED_TRACE("FANFARE_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  const auto up_to = [&random](std::int64_t limit) {
    return std::uniform_int_distribution<std::int64_t>(0, limit)(random);
  };

  constexpr std::size_t kTimers = 50;
  std::vector<std::unique_ptr<TestTimer>> timers;
  for (std::size_t i = 0; i < kTimers; ++i) timers.push_back(std::make_unique<TestTimer>());
  Model model{std::vector<Model::Entry>(kTimers)};

  for (int step = 0; step < 20'000; ++step) {
    const auto chosen = static_cast<std::size_t>(up_to(kTimers - 1));
    const std::int64_t action = up_to(9);
    if (action < 5) {
      // Most deadlines are near, as in life; some are turns away.
      const milliseconds delay(up_to(3) == 0 ? up_to(320'000) : up_to(2'000));
      wheel_.arm(*timers[chosen], in(delay));
      model.entries[chosen].deadline = in(delay);
    } else if (action < 6) {
      timers[chosen]->cancel();
      model.entries[chosen].deadline.reset();
    } else {
      advance(milliseconds(up_to(50) == 0 ? up_to(400'000) : up_to(300)));
      for (std::size_t i = 0; i < kTimers; ++i) {
        Model::Entry& entry = model.entries[i];
        if (timers[i]->fired != entry.fired) {
          ASSERT_TRUE(entry.deadline) << "timer " << i << " fired without being armed";
          ASSERT_EQ(timers[i]->fired, entry.fired + 1) << "timer " << i;
          ASSERT_LE(*entry.deadline, clock_.now()) << "timer " << i << " fired early";
          ++entry.fired;
          entry.deadline.reset();
        } else if (entry.deadline) {
          ASSERT_GT(*entry.deadline + TimerWheel::kTick, clock_.now())
              << "timer " << i << " is late";
        }
        ASSERT_EQ(timers[i]->is_armed(), entry.deadline.has_value()) << "timer " << i;
      }
    }
  }
}

TEST_F(TimerWheelTest, ThoseThatAreDueTogetherMayBeFiredInSeveralTurns) {
  std::vector<std::unique_ptr<TestTimer>> timers;
  int fired = 0;
  for (int i = 0; i < 1000; ++i) {
    timers.push_back(std::make_unique<TestTimer>([&fired](TimePoint) { ++fired; }));
    wheel_.arm(*timers.back(), in(milliseconds(100)));
  }
  clock_.advance(milliseconds(100));
  int allowed = 300;
  const auto has_to_stop = [&] { return fired >= allowed; };
  EXPECT_TRUE(wheel_.advance(clock_.now(), has_to_stop));
  EXPECT_EQ(fired, 300);
  EXPECT_TRUE(wheel_.advance(clock_.now(), has_to_stop));
  EXPECT_GT(fired, 300) << "some always";
  timers[999]->cancel();
  timers.erase(timers.begin() + 900, timers.begin() + 910);
  allowed = 2000;
  EXPECT_FALSE(wheel_.advance(clock_.now(), has_to_stop));
  EXPECT_EQ(fired, 989);
}

}  // namespace
}  // namespace fanfare::base
