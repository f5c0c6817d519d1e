#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "server/cli/bench_histogram.hpp"
#include "server/cli/bench_plan.hpp"

namespace fanfare::server::cli::bench {

/// How the subscribers came. Times are seconds; what needs the server's process is only there when
/// its id was given.
struct OpeningReport {
  std::uint64_t subscribed = 0;
  std::uint64_t failed = 0;
  double seconds = 0;
  std::optional<double> server_cpu_seconds;
};

struct MemorySample {
  std::uint64_t subscribers = 0;
  std::uint64_t resident_bytes = 0;
  /// Above what the server had before the first subscriber came, divided among them.
  double bytes_per_subscriber = 0;
};

struct IdleReport {
  double seconds = 0;
  double server_cpu_seconds = 0;
};

struct FanoutReport {
  double seconds = 0;  ///< without warming up
  std::uint64_t published = 0;
  /// Of these, in `seconds`; the others were to warm up.
  std::uint64_t published_measured = 0;
  std::uint64_t refused = 0;
  std::uint64_t unanswered = 0;
  std::uint64_t expected = 0;
  std::uint64_t delivered = 0;
  std::uint64_t lost = 0;
  std::uint64_t doubled = 0;
  /// Not told when one subscriber has several channels: order is promised for each alone.
  std::optional<std::uint64_t> reordered;
  std::uint64_t disconnected = 0;
  std::uint64_t slow_disconnected = 0;
  Histogram latency;
  Histogram newcomers;
  Histogram newcomer_answers;
  std::uint64_t newcomers_unserved = 0;
  std::optional<double> server_cpu_seconds;
  std::optional<std::uint64_t> server_resident_bytes;
  double driver_cpu_seconds = 0;

  /// How many of the deliveries belong to `seconds` and to the server's CPU time.
  [[nodiscard]] std::uint64_t measured() const { return latency.count(); }
};

/// What a run came to.
struct Report {
  OpeningReport opening;
  /// On the way up, and when all were there.
  std::vector<MemorySample> memory;
  std::optional<IdleReport> idle;
  std::optional<FanoutReport> fanout;
  /// The first thing that went wrong, for a person to read; else empty.
  std::string trouble;

  /// Whether everything arrived that was to arrive, once and in order.
  [[nodiscard]] bool is_clean() const;
};

/// A moment of a run, for whoever watches.
struct Moment {
  enum class Stage { opening, idle, publishing } stage = Stage::opening;
  std::uint64_t subscribed = 0;
  std::uint64_t deliveries = 0;
  double seconds = 0;  // since the stage began
};

/// Carries the plan out; `watch` is called a few times a second. An error when nobody can be
/// subscribed or a server's process cannot be read.
base::Result<Report> run(const Plan& plan, const std::function<void(const Moment&)>& watch);

}  // namespace fanfare::server::cli::bench
