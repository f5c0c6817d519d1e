#include "server/cli/bench_loop.hpp"

#include <algorithm>
#include <utility>

#include "base/units.hpp"
#include "server/cli/bench_publication.hpp"

namespace fanfare::server::cli::bench {
namespace {

using namespace base::literals;

constexpr std::size_t kScratchBytes = 256_KiB;
// On their way at once, of all threads: far below the queue of 4096 at which a kernel drops.
constexpr std::size_t kOpeningMax = 256;
constexpr std::uint64_t kProbeIntervalNs = 100'000'000;
// How soon a thread notices a new phase when nothing else happens.
constexpr std::chrono::nanoseconds kPatience{10'000'000};

}  // namespace

Loop::Loop(const Plan& plan, const Dialogue& dialogue, const Direction& direction,
           const std::vector<Publisher*>& publishers)
    : plan_(plan),
      direction_(direction),
      scratch_(kScratchBytes),
      context_{plan, dialogue, publishers, poller_, tally_, scratch_, direction.measure_from} {}

void Loop::add_subscriber(Subscriber::Role role, std::vector<std::size_t> channels) {
  subscribers_.push_back(std::make_unique<Subscriber>(context_, role, std::move(channels)));
}

Publisher& Loop::add_publisher(std::size_t index) {
  const Publisher::Context context{plan_, context_.dialogue, poller_, tally_, scratch_};
  return *publishers_.emplace_back(std::make_unique<Publisher>(context, index));
}

void Loop::run() {
  while (true) {
    const Phase phase = direction_.phase.load(std::memory_order_acquire);
    if (phase == Phase::over) return;
    if (phase == Phase::opening) {
      open_more();
    } else {
      publish(phase);
    }
    poller_.wait(patience(phase));
  }
}

void Loop::open_more() {
  if (!std::exchange(are_publishers_open_, true)) {
    for (const auto& publisher : publishers_) publisher->connect();
  }
  while (next_ < subscribers_.size() && context_.opening < kOpeningMax / plan_.threads) {
    subscribers_[next_++]->connect();
  }
}

void Loop::publish(Phase phase) {
  const std::uint64_t now = now_ns();
  for (const auto& publisher : publishers_) {
    if (phase == Phase::ending) publisher->finish();
    publisher->pump(now);
  }
  if (probes_ && phase == Phase::publishing) probe(now);
}

void Loop::probe(std::uint64_t now) {
  if (now < next_probe_) return;
  next_probe_ = now + kProbeIntervalNs;
  // A channel of their own: they are not to wait among those whom a message must reach.
  const std::vector<std::size_t> channels{plan_.channels};
  newcomers_.push_back(
      std::make_unique<Subscriber>(context_, Subscriber::Role::newcomer, channels));
  newcomers_.back()->connect();
}

std::chrono::nanoseconds Loop::patience(Phase phase) const {
  if (plan_.rate <= 0 || phase != Phase::publishing) return kPatience;
  std::uint64_t due = ~std::uint64_t{0};
  for (const auto& publisher : publishers_) due = std::min(due, publisher->due());
  const std::uint64_t now = now_ns();
  if (due <= now) {
    // Overdue: some publisher's window is full, and what opens it wakes this thread.
    return std::chrono::milliseconds(1);
  }
  return std::min<std::chrono::nanoseconds>(kPatience, std::chrono::nanoseconds(due - now));
}

}  // namespace fanfare::server::cli::bench
