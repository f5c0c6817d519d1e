#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "server/cli/bench_plan.hpp"
#include "server/cli/bench_protocol.hpp"
#include "server/cli/bench_publisher.hpp"
#include "server/cli/bench_socket.hpp"
#include "server/cli/bench_subscriber.hpp"
#include "server/cli/bench_tally.hpp"

namespace fanfare::server::cli::bench {

/// What the thread that watches tells those that work. Publishers are begun before `publishing`.
enum class Phase { opening, publishing, ending, over };

struct Direction {
  std::atomic<Phase> phase{Phase::opening};
  std::atomic<std::uint64_t> measure_from{0};
};

/// One thread's part of the driver: its subscribers and its publishers.
class Loop {
 public:
  Loop(const Plan& plan, const Dialogue& dialogue, const Direction& direction,
       const std::vector<Publisher*>& publishers);

  // Before run():
  void add_subscriber(Subscriber::Role role, std::vector<std::size_t> channels);
  Publisher& add_publisher(std::size_t index);
  void probe_with_newcomers() { probes_ = true; }

  /// Until Phase::over.
  void run();

  [[nodiscard]] const Tally& tally() const noexcept { return tally_; }
  /// While nothing subscribes or leaves.
  [[nodiscard]] const std::vector<std::unique_ptr<Subscriber>>& subscribers() const noexcept {
    return subscribers_;
  }

 private:
  void open_more();
  void publish(Phase phase);
  void probe(std::uint64_t now);
  [[nodiscard]] std::chrono::nanoseconds patience(Phase phase) const;

  const Plan& plan_;
  const Direction& direction_;
  Tally tally_;
  Poller poller_;
  std::vector<char> scratch_;
  Subscriber::Context context_;
  std::vector<std::unique_ptr<Subscriber>> subscribers_;
  std::vector<std::unique_ptr<Subscriber>> newcomers_;
  std::vector<std::unique_ptr<Publisher>> publishers_;
  std::size_t next_ = 0;  // of subscribers_ to open
  bool are_publishers_open_ = false;
  bool probes_ = false;
  std::uint64_t next_probe_ = 0;
};

}  // namespace fanfare::server::cli::bench
