#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/task.hpp"
#include "base/timer_wheel.hpp"
#include "core/exchange.hpp"
#include "support/seed.hpp"

namespace fanfare::core {

/// Several exchanges whose mail is carried by hand: one queue for each pair of workers, first-in,
/// first-out, and nothing else is promised.
class Office {
 public:
  explicit Office(std::size_t workers, const ExchangeLimits& limits = {}) {
    std::vector<Exchange*> all;
    for (std::size_t i = 0; i < workers; ++i) {
      const WorkerIndex index(static_cast<std::uint8_t>(i));
      clerks_.push_back(std::make_unique<Clerk>(*this, i));
      exchanges_.push_back(
          std::make_unique<Exchange>(index, clock, wheel, *clerks_.back(), limits));
      all.push_back(exchanges_.back().get());
    }
    for (const auto& exchange : exchanges_) exchange->meet(all);
  }

  Exchange& operator[](std::size_t worker) { return *exchanges_[worker]; }
  [[nodiscard]] std::size_t size() const { return exchanges_.size(); }
  [[nodiscard]] bool is_idle() const { return waiting_ == 0; }

  /// Carries one task from one worker to another; false if there is none on that way.
  bool carry(std::size_t from, std::size_t to) {
    Queue& queue = queues_[{from, to}];
    if (queue.empty()) return false;
    base::Task task = std::move(queue.front());
    queue.pop_front();
    --waiting_;
    task();
    return true;
  }
  /// Carries one task, chosen at random.
  void carry_any(Dice& dice) {
    while (!is_idle() && !carry(dice.below(size()), dice.below(size()))) {
    }
  }
  void carry_all() {
    while (!is_idle()) {
      for (std::size_t from = 0; from < size(); ++from) {
        for (std::size_t to = 0; to < size(); ++to) carry(from, to);
      }
    }
  }

  /// Ends the turn of one worker's loop, and one for each thing that asks for another.
  void end_turns(std::size_t worker = 0) {
    while (end_turn(worker)) {
    }
  }
  /// Ends one turn; false if nothing has asked for it.
  bool end_turn(std::size_t worker = 0) {
    auto tasks = std::exchange(turn_end_[worker], {});
    for (base::Task& task : tasks) task();
    return !tasks.empty();
  }

  base::ManualClock clock;
  base::TimerWheel wheel{clock.now()};

 private:
  using Queue = std::deque<base::Task>;
  struct Clerk final : Courier {
    Clerk(Office& its_office, std::size_t its_worker) : office(its_office), worker(its_worker) {}
    void post(WorkerIndex to, base::Task task) noexcept override {
      office.queues_[{worker, to.value()}].push_back(std::move(task));
      ++office.waiting_;
    }
    void at_turn_end(base::Task task) noexcept override {
      office.turn_end_[worker].push_back(std::move(task));
    }
    Office& office;
    std::size_t worker;
  };

  std::map<std::pair<std::size_t, std::size_t>, Queue> queues_;  // by from and to
  std::map<std::size_t, std::deque<base::Task>> turn_end_;       // by worker
  std::size_t waiting_ = 0;
  std::vector<std::unique_ptr<Clerk>> clerks_;
  std::vector<std::unique_ptr<Exchange>> exchanges_;
};

}  // namespace fanfare::core
