#include "server/cli/bench_run.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <sys/resource.h>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "server/cli/bench_loop.hpp"
#include "server/cli/bench_process.hpp"
#include "server/cli/bench_publication.hpp"

namespace fanfare::server::cli::bench {
namespace {

using base::Done;
using base::Errc;
using base::Error;
using base::Status;
using std::chrono::milliseconds;

constexpr milliseconds kWatch{5};
constexpr milliseconds kTell{250};
// What a server still does after the last subscriber's answer is not part of what comes next.
constexpr milliseconds kSettle{500};
// Without any progress for that long, what has not come is lost.
constexpr milliseconds kQuiet{5'000};
constexpr int kBusyNice = 10;
// How many subscribers there are when the memory is looked at.
constexpr std::array<std::uint64_t, 4> kMemorySteps{1'000, 5'000, 10'000, 19'000};

double seconds_between(std::uint64_t from, std::uint64_t to) {
  return to > from ? static_cast<double>(to - from) / 1e9 : 0;
}

/// The thread that watches: it leads the others from phase to phase, and reads the clocks.
class Run {
 public:
  Run(const Plan& plan, const std::function<void(const Moment&)>& watch)
      : plan_(plan), watch_(watch), dialogue_(make_dialogue(plan)) {}

  base::Result<Report> execute() {
    if (const auto status = read_use(at_start_); !status) return status.error();
    add_loops();
    add_subscribers();
    std::vector<std::jthread> threads;
    for (const auto& loop : loops_) {
      threads.emplace_back([this, &loop] {
        // The newcomers' thread, which is the last, is not to wait for the busy ones. (On Linux
        // this is about the calling thread; elsewhere it does no harm.)
        if (plan_.probes && loop != loops_.back()) ::setpriority(PRIO_PROCESS, 0, kBusyNice);
        loop->run();
      });
    }
    const auto status = conduct();
    direction_.phase.store(Phase::over, std::memory_order_release);
    threads.clear();  // joins them
    collect();
    if (!status) return status.error();
    return std::move(report_);
  }

 private:
  void add_loops() {
    for (std::size_t i = 0; i < plan_.threads; ++i) {
      loops_.push_back(std::make_unique<Loop>(plan_, *dialogue_, direction_, publishers_));
    }
    if (!plan_.publishes()) return;
    for (std::size_t i = 0; i < plan_.publishers; ++i) {
      publishers_.push_back(&loops_[i % plan_.threads]->add_publisher(i));
    }
    if (!plan_.probes) return;
    // On a thread that does nothing else: what newcomers wait for is the server, not this program.
    loops_.push_back(std::make_unique<Loop>(plan_, *dialogue_, direction_, publishers_));
    loops_.back()->probe_with_newcomers();
  }

  void add_subscribers() {
    for (std::size_t i = 0; i < plan_.subscribers + plan_.slow; ++i) {
      std::vector<std::size_t> channels;
      for (std::size_t j = 0; j < plan_.subscriptions; ++j) {
        channels.push_back((i * plan_.subscriptions + j) % plan_.channels);
      }
      const auto role = i < plan_.subscribers ? Subscriber::Role::listener : Subscriber::Role::slow;
      loops_[i % plan_.threads]->add_subscriber(role, std::move(channels));
    }
  }

  Status conduct() {
    if (auto status = open(); !status) return status;
    if (plan_.only_connects) return Done{};
    return plan_.idle ? stay_idle() : publish();
  }

  Status open() {
    const std::uint64_t began = now_ns();
    const std::uint64_t connections = plan_.subscribers + plan_.slow + publishers_.size();
    std::size_t step = 0;
    std::uint64_t progress = 0;
    std::uint64_t progressed_at = began;
    while (true) {
      const std::uint64_t ready = sum(&Tally::ready);
      const std::uint64_t failed = sum(&Tally::failed);
      if (ready + failed == connections) break;
      if (std::exchange(progress, ready + failed) != ready + failed) progressed_at = now_ns();
      if (is_quiet_since(progressed_at)) break;
      if (step < kMemorySteps.size() && ready >= kMemorySteps[step]) {
        if (auto status = look_at_memory(ready); !status) return status;
        ++step;
      }
      tell(Moment::Stage::opening, began);
      std::this_thread::sleep_for(kWatch);
    }
    Use after;
    if (auto status = read_use(after); !status) return status;
    auto& opening = report_.opening;
    opening.failed = sum(&Tally::failed);
    opening.subscribed = sum(&Tally::ready) - publishers_.size();
    opening.seconds = seconds_between(began, newest(&Tally::last_ready_at));
    if (after) opening.server_cpu_seconds = after->cpu_seconds - at_start_->cpu_seconds;
    if (sum(&Tally::ready) == 0) return Error{Errc::unavailable, "nobody could subscribe"};
    std::this_thread::sleep_for(kSettle);
    return look_at_memory(opening.subscribed);
  }

  Status stay_idle() {
    Use before;
    Use after;
    if (auto status = read_use(before); !status) return status;
    const std::uint64_t began = now_ns();
    while (now_ns() - began < ns(*plan_.idle)) {
      tell(Moment::Stage::idle, began);
      std::this_thread::sleep_for(kWatch);
    }
    if (auto status = read_use(after); !status) return status;
    if (!after) return Done{};
    report_.idle =
        IdleReport{seconds_between(began, now_ns()), after->cpu_seconds - before->cpu_seconds};
    return look_at_memory(report_.opening.subscribed);
  }

  Status publish() {
    count_audience();
    constexpr auto kNever = ~std::uint64_t{0};
    if (plan_.warm_up.count() > 0) direction_.measure_from = kNever;
    std::uint64_t began = now_ns();
    // Shared out evenly; the remainder is not sent, rather than sent by one.
    const auto each = plan_.messages ? *plan_.messages / plan_.publishers : kNever;
    for (Publisher* publisher : publishers_) publisher->begin(audience_, each, began);
    direction_.phase.store(Phase::publishing, std::memory_order_release);
    wait_while(began, [&] { return now_ns() - began < ns(plan_.warm_up) && !all_sent(); });

    Use before;
    Use after;
    if (auto status = read_use(before); !status) return status;
    const double driver_before = own_cpu_seconds();
    const std::uint64_t accepted_before = sum(&Publisher::accepted);
    began = now_ns();
    if (plan_.warm_up.count() > 0) direction_.measure_from = began;
    wait_while(began, [&] { return now_ns() - began < ns(plan_.duration) && !all_sent(); });
    direction_.phase.store(Phase::ending, std::memory_order_release);
    wait_while(began, [&] { return !all_arrived(); });

    if (auto status = read_use(after); !status) return status;
    auto& fanout = report_.fanout.emplace();
    fanout.published_measured = sum(&Publisher::accepted) - accepted_before;
    fanout.driver_cpu_seconds = own_cpu_seconds() - driver_before;
    fanout.seconds = seconds_between(began, newest(&Tally::last_delivery_at));
    if (after) {
      fanout.server_cpu_seconds = after->cpu_seconds - before->cpu_seconds;
      fanout.server_resident_bytes = after->resident_bytes;
    }
    return Done{};
  }

  /// Until the condition is false, or nothing happens any more.
  template <typename Condition>
  void wait_while(std::uint64_t began, Condition goes_on) {
    std::uint64_t progress = 0;
    std::uint64_t progressed_at = now_ns();
    while (goes_on()) {
      const std::uint64_t now_done = sum(&Tally::deliveries) + sum(&Publisher::accepted);
      if (std::exchange(progress, now_done) != now_done) progressed_at = now_ns();
      // Between two messages of a slow rate it is quiet, too.
      const bool may_be_quiet = plan_.rate > 0 && direction_.phase == Phase::publishing;
      if (!may_be_quiet && is_quiet_since(progressed_at)) return;
      tell(Moment::Stage::publishing, began);
      std::this_thread::sleep_for(kWatch);
    }
  }

  [[nodiscard]] bool all_sent() const { return sum(&Publisher::left) == 0; }
  [[nodiscard]] bool all_arrived() const {
    return sum(&Publisher::accepted) + sum(&Publisher::refused) == sum(&Publisher::sent) &&
           sum(&Tally::deliveries) >= sum(&Publisher::expected);
  }
  static bool is_quiet_since(std::uint64_t time) { return now_ns() - time > ns(kQuiet); }
  static std::uint64_t ns(milliseconds time) {
    return static_cast<std::uint64_t>(time.count()) * 1'000'000;
  }

  void count_audience() {
    audience_.assign(plan_.channels, 0);
    for (const auto& loop : loops_) {
      for (const auto& subscriber : loop->subscribers()) {
        if (subscriber->role() != Subscriber::Role::listener || !subscriber->is_subscribed())
          continue;
        for (const std::size_t channel : subscriber->channels()) ++audience_[channel];
      }
    }
  }

  using Use = std::optional<ProcessUse>;

  /// Leaves nothing in `use` when there is no process to look at.
  Status read_use(Use& use) const {
    if (plan_.server_pids.empty()) return Done{};
    use = use_of(plan_.server_pids);
    if (use) return Done{};
    return Error{Errc::not_found, "the server's process cannot be read: is --server-pid right?"};
  }

  Status look_at_memory(std::uint64_t subscribers) {
    Use use;
    if (auto status = read_use(use); !status) return status;
    if (!use || subscribers == 0) return Done{};
    const auto bytes =
        static_cast<double>(use->resident_bytes) - static_cast<double>(at_start_->resident_bytes);
    report_.memory.push_back(
        {subscribers, use->resident_bytes, bytes / static_cast<double>(subscribers)});
    return Done{};
  }

  void tell(Moment::Stage stage, std::uint64_t began) {
    const std::uint64_t now = now_ns();
    if (now - told_at_ < ns(kTell)) return;
    told_at_ = now;
    const std::uint64_t ready = sum(&Tally::ready);
    watch_({stage, ready - std::min<std::uint64_t>(ready, publishers_.size()),
            sum(&Tally::deliveries), seconds_between(began, now)});
  }

  /// After the threads' end.
  void collect() {
    for (const auto& loop : loops_) {
      if (report_.trouble.empty()) report_.trouble = loop->tally().trouble;
    }
    if (!report_.fanout) return;
    auto& fanout = *report_.fanout;
    std::uint64_t late = 0;
    for (const auto& loop : loops_) {
      const Tally& tally = loop->tally();
      fanout.latency.merge(tally.latency);
      fanout.newcomers.merge(tally.newcomers);
      fanout.newcomer_answers.merge(tally.newcomer_answers);
      fanout.newcomers_unserved += tally.newcomers_unserved;
      fanout.doubled += tally.again;
      fanout.disconnected += tally.disconnected;
      late += tally.late;
      fanout.slow_disconnected += static_cast<std::uint64_t>(
          std::ranges::count_if(loop->subscribers(), [](const auto& subscriber) {
            return subscriber->role() == Subscriber::Role::slow && subscriber->was_closed();
          }));
    }
    if (plan_.subscriptions == 1) fanout.reordered = late;
    fanout.published = sum(&Publisher::accepted);
    fanout.refused = sum(&Publisher::refused);
    fanout.unanswered = sum(&Publisher::sent) - fanout.published - fanout.refused;
    fanout.expected = sum(&Publisher::expected);
    fanout.delivered = sum(&Tally::deliveries);
    fanout.lost = fanout.expected - std::min(fanout.expected, fanout.delivered);
  }

  using Counter = std::atomic<std::uint64_t> Tally::*;
  [[nodiscard]] std::uint64_t sum(Counter counter) const {
    std::uint64_t all = 0;
    for (const auto& loop : loops_) all += (loop->tally().*counter).load(std::memory_order_relaxed);
    return all;
  }
  [[nodiscard]] std::uint64_t newest(Counter time) const {
    std::uint64_t latest = 0;
    for (const auto& loop : loops_) {
      latest = std::max(latest, (loop->tally().*time).load(std::memory_order_relaxed));
    }
    return latest;
  }
  [[nodiscard]] std::uint64_t sum(std::uint64_t (Publisher::*count)() const noexcept) const {
    std::uint64_t all = 0;
    for (const Publisher* publisher : publishers_) all += (publisher->*count)();
    return all;
  }

  const Plan& plan_;
  const std::function<void(const Moment&)>& watch_;
  std::unique_ptr<Dialogue> dialogue_;
  Direction direction_;
  std::vector<std::uint32_t> audience_;  // subscribers by channel
  std::vector<Publisher*> publishers_;
  std::vector<std::unique_ptr<Loop>> loops_;
  Use at_start_;
  std::uint64_t told_at_ = 0;
  Report report_;
};

}  // namespace

bool Report::is_clean() const {
  if (opening.failed > 0) return false;
  return !fanout || (fanout->lost == 0 && fanout->doubled == 0 && fanout->refused == 0 &&
                     fanout->unanswered == 0 && fanout->disconnected == 0 &&
                     fanout->reordered.value_or(0) == 0);
}

base::Result<Report> run(const Plan& plan, const std::function<void(const Moment&)>& watch) {
  return Run(plan, watch).execute();
}

}  // namespace fanfare::server::cli::bench
