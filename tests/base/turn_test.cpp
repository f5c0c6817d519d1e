#include "base/turn.hpp"

#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fanfare::base {
namespace {

using testing::ElementsAre;

class TurnTest : public ::testing::Test {
 protected:
  /// Ends one turn; false if nothing has asked for it.
  bool end_turn() {
    auto tasks = std::exchange(tasks_, {});
    for (Task& task : tasks) task();
    return !tasks.empty();
  }

  /// Has so many pieces of work to do, each of `work`, and writes down its name for each.
  class Worker final : public Turn::Waiter {
   public:
    Worker(TurnTest& test, std::string name, int pieces, Work work, Turn::Lane lane)
        : test_(test), name_(std::move(name)), pieces_(pieces), work_(work), lane_(lane) {}
    void begin() {
      test_.turn_.begin_slice();
      go_on();
    }

   private:
    void go_on() override {
      for (; pieces_ > 0; --pieces_) {
        if (test_.turn_.has_to_stop()) return test_.turn_.wait(*this, lane_);
        test_.turn_.spend(work_);
        test_.done_.push_back(name_);
      }
    }
    void on_failed() noexcept override {}
    TurnTest& test_;
    std::string name_;
    int pieces_;
    Work work_;
    Turn::Lane lane_;
  };

  std::deque<Task> tasks_;
  std::vector<std::string> done_;
  Turn turn_{[this](Task task) { tasks_.push_back(std::move(task)); }};
};

TEST_F(TurnTest, AsksForNoEndWhileNothingIsDone) {
  EXPECT_FALSE(end_turn());
}

TEST_F(TurnTest, LetsSmallWorkBeDoneAtOnce) {
  Worker small(*this, "a", 3, 1000, 1);
  small.begin();
  EXPECT_THAT(done_, ElementsAre("a", "a", "a"));
  EXPECT_EQ(turn_.spent(), 3000U);
  EXPECT_FALSE(end_turn()) << "too little to be noticed";
}

TEST_F(TurnTest, WhatIsNoticedIsForgottenWhenTheTurnEnds) {
  Worker some(*this, "a", 1, Turn::kNoticed, 1);
  some.begin();
  EXPECT_TRUE(end_turn());
  EXPECT_EQ(turn_.spent(), 0U);
  EXPECT_FALSE(end_turn());
}

TEST_F(TurnTest, StopsWhoHasUsedHisSlice) {
  Worker large(*this, "a", 100, Turn::kSlice / 4, 1);
  large.begin();
  EXPECT_EQ(done_.size(), 4U);
  EXPECT_FALSE(turn_.is_over());
}

TEST_F(TurnTest, IsOverWhenAllTogetherHaveDoneEnough) {
  std::deque<Worker> all;
  for (int i = 0; i < 20; ++i) all.emplace_back(*this, "a", 4, Turn::kSlice / 4, Turn::Lane(i + 1));
  for (Worker& one : all) one.begin();
  EXPECT_TRUE(turn_.is_over());
  EXPECT_EQ(done_.size(), 4 * Turn::kWorkMax / Turn::kSlice);
}

TEST_F(TurnTest, NoTurnIsMuchLongerThanItMayBe) {
  std::deque<Worker> all;
  for (int i = 0; i < 50; ++i)
    all.emplace_back(*this, "a", 50, Turn::kSlice / 3, Turn::Lane(i + 1));
  for (Worker& one : all) one.begin();
  Work total = turn_.spent();
  int turns = 1;
  while (turn_.has_waiting()) {
    end_turn();
    EXPECT_LE(turn_.spent(), Turn::kWorkMax + Turn::kSlice);
    total += turn_.spent();
    ++turns;
  }
  EXPECT_EQ(done_.size(), 2500U);
  EXPECT_LE(turns, static_cast<int>(total / Turn::kWorkMax) + 2);
}

TEST_F(TurnTest, LanesTakeTurnsHoweverManyWaitInOne) {
  std::deque<Worker> crowd;
  for (int i = 0; i < 30; ++i) crowd.emplace_back(*this, "crowd", 2, Turn::kSlice, 1);
  Worker lonely(*this, "lonely", 3, Turn::kSlice, 2);
  for (Worker& one : crowd) turn_.wait(one, 1);
  turn_.wait(lonely, 2);
  end_turn();
  EXPECT_THAT(done_, ElementsAre("crowd", "lonely", "crowd", "lonely", "crowd", "lonely", "crowd",
                                 "crowd"));
}

TEST_F(TurnTest, TheWorkersOwnWorkGoesFirstAndOnceATurn) {
  std::deque<Worker> crowd;
  for (int i = 0; i < 30; ++i) crowd.emplace_back(*this, "crowd", 1, Turn::kWorkMax, 1);
  for (Worker& one : crowd) turn_.wait(one, 1);
  Worker own(*this, "own", 2, Turn::kOwnSlice, Turn::kOwn);
  turn_.wait(own, Turn::kOwn);
  end_turn();
  end_turn();
  EXPECT_THAT(done_, ElementsAre("own", "crowd", "own", "crowd"));
}

TEST_F(TurnTest, WhoGoesAwayLeavesTheLine) {
  {
    Worker gone(*this, "gone", 1, 1, 1);
    turn_.wait(gone, 1);
  }
  Worker left(*this, "left", 1, 1, 1);
  turn_.wait(left, 1);
  end_turn();
  end_turn();
  EXPECT_THAT(done_, ElementsAre("left"));
  EXPECT_FALSE(turn_.has_waiting());
}

TEST_F(TurnTest, WaitingTwiceIsWaitingOnce) {
  Worker one(*this, "a", 1, 1, 1);
  turn_.wait(one, 1);
  turn_.wait(one, 1);
  while (end_turn()) {
  }
  EXPECT_THAT(done_, ElementsAre("a"));
}

TEST_F(TurnTest, SomebodyWhoThrowsDoesNotKeepTheOthersFromTheirTurn) {
  struct Thrower final : Turn::Waiter {
    void go_on() override { throw std::runtime_error("expected in this test"); }
    void on_failed() noexcept override { was_told = true; }
    bool was_told = false;
  } thrower;
  turn_.wait(thrower, 1);
  Worker other(*this, "other", 1, 1, 2);
  turn_.wait(other, 2);
  end_turn();
  EXPECT_TRUE(thrower.was_told);
  EXPECT_THAT(done_, ElementsAre("other"));
}

TEST_F(TurnTest, SomebodyWhoThrowsMayWaitAgain) {
  struct Stubborn final : Turn::Waiter {
    explicit Stubborn(Turn& its_turn) : turn(its_turn) {}
    void go_on() override {
      if (++tries < 3) throw std::runtime_error("expected in this test");
    }
    void on_failed() noexcept override { turn.wait(*this, Turn::kOwn); }
    Turn& turn;
    int tries = 0;
  } stubborn(turn_);
  turn_.wait(stubborn, Turn::kOwn);
  while (end_turn()) {
  }
  EXPECT_EQ(stubborn.tries, 3);
}

TEST_F(TurnTest, SomebodyWhoIsDestroyedByWhatThrewIsNotTold) {
  struct Brief final : Turn::Waiter {
    explicit Brief(std::unique_ptr<Brief>& its_owner) : owner(its_owner) {}
    void go_on() override {
      const std::unique_ptr<Brief> last = std::move(owner);
      throw std::runtime_error("expected in this test");
    }
    void on_failed() noexcept override { ADD_FAILURE() << "called on what is not there"; }
    std::unique_ptr<Brief>& owner;
  };
  std::unique_ptr<Brief> brief;
  brief = std::make_unique<Brief>(brief);
  turn_.wait(*brief, 1);
  end_turn();
  EXPECT_EQ(brief, nullptr);
}

TEST_F(TurnTest, TheLineMovesOnHoweverMuchTheWorkersOwnWorkIs) {
  struct Busy final : Turn::Waiter {
    explicit Busy(Turn& its_turn) : turn(its_turn) {}
    void go_on() override {
      turn.spend(2 * Turn::kWorkMax);
      turn.wait(*this, Turn::kOwn);
    }
    void on_failed() noexcept override {}
    Turn& turn;
  } busy(turn_);
  turn_.wait(busy, Turn::kOwn);
  Worker visitor(*this, "visitor", 2, Turn::kSlice, 1);
  turn_.wait(visitor, 1);
  end_turn();
  EXPECT_THAT(done_, ElementsAre("visitor", "visitor"));
}

}  // namespace
}  // namespace fanfare::base
