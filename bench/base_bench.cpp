// What every worker does all day: timers, and tasks from other threads.
#include <chrono>
#include <memory>
#include <vector>

#include <benchmark/benchmark.h>

#include "base/mailbox.hpp"
#include "base/random.hpp"
#include "base/timer_wheel.hpp"

namespace fanfare::benchmarks {
namespace {

class Alarm final : public base::Timer {
 private:
  void expire(base::TimePoint) override {}
  void on_failed() noexcept override {}
};

/// Pushing a deadline back while many others are armed.
void timer_arm(benchmark::State& state) {
  const base::TimePoint start{std::chrono::hours(1)};
  const auto wheel = std::make_unique<base::TimerWheel>(start);
  std::vector<Alarm> alarms(static_cast<std::size_t>(state.range(0)));
  std::size_t next = 0;
  for (auto _ : state) {
    wheel->arm(alarms[next], start + std::chrono::seconds(30));
    next = (next + 7919) % alarms.size();
  }
}
BENCHMARK(timer_arm)->Arg(1'000)->Arg(100'000);

/// A tick of an idle worker: nothing is due.
void timer_tick(benchmark::State& state) {
  base::TimePoint now{std::chrono::hours(1)};
  const auto wheel = std::make_unique<base::TimerWheel>(now);
  for (auto _ : state) wheel->advance(now += base::TimerWheel::kTick);
}
BENCHMARK(timer_tick);

/// A batch of tasks put in and taken out by one thread: without contention and wake-ups.
void mailbox_round(benchmark::State& state) {
  base::Mailbox mailbox;
  std::vector<base::Task> tasks;
  std::int64_t done = 0;
  for (auto _ : state) {
    for (std::int64_t i = 0; i < state.range(0); ++i) mailbox.put([&done] { ++done; });
    mailbox.take_all(tasks);
    for (auto& task : tasks) task();
    tasks.clear();
  }
  benchmark::DoNotOptimize(done);
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(mailbox_round)->Arg(1)->Arg(64);

void channel_hash(benchmark::State& state) {
  const std::string channel = "/comments-12345";
  for (auto _ : state) benchmark::DoNotOptimize(base::keyed_hash(channel));
}
BENCHMARK(channel_hash);

}  // namespace
}  // namespace fanfare::benchmarks
