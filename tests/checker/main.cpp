// Plays many visitors at random against a real server and a plain model (see model.hpp for the
// rules).
//
//   session_checker BINARY SECONDS SEED [VISITORS]
//
// It goes in rounds: everybody does as they please for a few seconds, then everything is brought
// home and compared, and then nothing may be left of it in the server. A seed repeats what is
// tried, though not how the kernel times it.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <poll.h>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "checker/model.hpp"
#include "checker/publisher.hpp"
#include "checker/visitor.hpp"
#include "support/random.hpp"
#include "support/server_process.hpp"

namespace fanfare::checker {
namespace {

constexpr std::chrono::seconds kConnectTimeout{1};
constexpr int kSessionTimeouts = 3;
constexpr milliseconds kRoundTime{6'000};
constexpr milliseconds kSettleTime{30'000};
// After the last session has expired: the server's timers look every 50 ms.
constexpr milliseconds kExpirySlack{1'500};
constexpr std::size_t kPublishers = 3;
// What a process may grow by from its second round on. Rounds differ, and allocators keep some; a
// session that is not let go of shows sooner or later.
constexpr std::size_t kGrowthBytesMax = 48 * 1024 * 1024;

constexpr std::string_view kRealm = "check";
constexpr std::size_t kWorkers = 2;

/// Short timeouts, and a small outbox, so that visitors who do not read meet its limit.
std::string server_config() {
  return fmt::format(
      "[limits]\nmessage_bytes_max = \"4KiB\"\noutbox_bytes_max = \"32KiB\"\n"
      "[bayeux]\nconnect_timeout = \"{}s\"\nsession_timeouts = {}\n"
      "[[realm]]\nid = \"{}\"\nkey = \"{}\"\nclient_publish = true\n",
      kConnectTimeout.count(), kSessionTimeouts, kRealm, ServerProcess::key());
}

struct Totals {
  std::size_t rounds = 0;
  std::size_t sessions = 0;
  std::size_t publications = 0;
  std::size_t deliveries = 0;
};

class Round {
 public:
  Round(const ServerProcess& server, std::uint64_t seed, std::size_t visitor_count)
      : random_(seed), world_{model_,
                              server.port(),
                              {kConnectTimeout, kConnectTimeout * kSessionTimeouts},
                              {},
                              Clock::now(),
                              Clock::now()} {
    visitors_.push_back(std::make_unique<Visitor>(world_, random_.seed(), Visitor::Kind::witness));
    for (std::size_t i = 0; i < visitor_count; ++i) {
      visitors_.push_back(std::make_unique<Visitor>(world_, random_.seed(), Visitor::Kind::random));
    }
    for (std::size_t i = 0; i < kPublishers; ++i) {
      publishers_.push_back(
          std::make_unique<Publisher>(world_, random_.seed(), ServerProcess::token(kRealm)));
    }
  }

  void play() {
    Visitor& witness = *visitors_.front();
    turn_until(kSettleTime, "the witness does not get ready", [&] { return witness.is_ready(); });
    are_all_here_ = true;
    turn_until(kRoundTime, {}, [] { return false; });
    for (const auto& publisher : publishers_) publisher->stop();
    turn_until(kSettleTime, "a publisher does not get its answer",
               [&] { return std::ranges::all_of(publishers_, &Publisher::is_idle); });
    for (const auto& visitor : visitors_) visitor->settle();
    turn_until(kSettleTime, "a visitor does not come to rest",
               [&] { return std::ranges::all_of(visitors_, &Visitor::is_settled); });
    model_.compare(*witness.session(), world_.sessions);
    for (const auto& visitor : visitors_) visitor->leave();
    publishers_.clear();
  }

  void count(Totals& totals) const {
    ++totals.rounds;
    totals.sessions += world_.sessions.size();
    totals.publications += model_.publication_count();
    for (const auto& session : world_.sessions) totals.deliveries += session->delivery_count();
  }

 private:
  template <typename Condition>
  void turn_until(milliseconds at_most, const std::string& complaint, Condition is_reached) {
    const Time deadline = Clock::now() + at_most;
    while (!is_reached()) {
      if (Clock::now() >= deadline) {
        if (complaint.empty()) return;
        std::string traces;
        for (const auto& visitor : visitors_) {
          if (!visitor->is_settled()) traces += visitor->trace_text();
        }
        throw Violation(complaint + '\n' + traces);
      }
      turn();
    }
  }

  void turn() {
    std::vector<pollfd> descriptors;
    for (const auto& visitor : visitors_) visitor->add_descriptors(descriptors);
    for (const auto& publisher : publishers_) publisher->add_descriptors(descriptors);
    ::poll(descriptors.data(), static_cast<nfds_t>(descriptors.size()), 1);
    world_.previous = std::exchange(world_.now, Clock::now());
    for (const auto& visitor : visitors_) {
      try {
        visitor->read();
        if (are_all_here_ || visitor == visitors_.front()) visitor->step();
        visitor->check_patience();
      } catch (const Violation& violation) {
        throw Violation(fmt::format("{}\n{}", violation.what(), visitor->trace_text()));
      }
    }
    for (const auto& publisher : publishers_) {
      publisher->read();
      if (are_all_here_) publisher->step();
    }
  }

  Random random_;
  Model model_;
  World world_;
  std::vector<std::unique_ptr<Visitor>> visitors_;
  std::vector<std::unique_ptr<Publisher>> publishers_;
  bool are_all_here_ = false;
};

/// When all clients have gone and all sessions have expired.
void check_nothing_is_left(const ServerProcess& server, std::size_t descriptors_before,
                           std::size_t& resident_after_second, std::size_t round) {
  std::this_thread::sleep_for(kConnectTimeout * kSessionTimeouts + kExpirySlack);
  const std::size_t descriptors = server.descriptor_count();
  if (descriptors > descriptors_before) {
    throw Violation(fmt::format("{} descriptors are open, {} were at the start", descriptors,
                                descriptors_before));
  }
  const std::size_t resident = server.resident_bytes();
  if (round == 1) resident_after_second = resident;
  if (round > 1 && resident > resident_after_second + kGrowthBytesMax) {
    throw Violation(
        fmt::format("the server has grown from {} to {} bytes", resident_after_second, resident));
  }
}

void run(ServerProcess& server, std::chrono::seconds duration, std::uint64_t seed,
         std::size_t visitor_count, Totals& totals) {
  const std::size_t descriptors = server.descriptor_count();
  std::size_t resident_after_second = 0;
  Random seeds(seed);
  const Time end = Clock::now() + duration;
  for (std::size_t round = 0; round == 0 || Clock::now() < end; ++round) {
    Round play(server, seeds.seed(), visitor_count);
    play.play();
    play.count(totals);
    check_nothing_is_left(server, descriptors, resident_after_second, round);
    fmt::print("round {}: {} sessions, {} publications, {} deliveries so far; {} KiB resident\n",
               round + 1, totals.sessions, totals.publications, totals.deliveries,
               server.resident_bytes() / 1024);
    std::fflush(stdout);
  }
}

int check(const std::string& binary, std::chrono::seconds duration, std::uint64_t seed,
          std::size_t visitor_count) {
  ServerProcess server(binary, server_config(), kWorkers);
  Totals totals;
  std::string wrong;
  try {
    run(server, duration, seed, visitor_count, totals);
  } catch (const std::exception& failure) {
    wrong = failure.what();
  }
  if (!server.is_running())
    wrong = "the server has died\n" + wrong;
  else if (const std::string badly = server.stop(); wrong.empty())
    wrong = badly;
  const std::string complaints = server.complaints();
  if (wrong.empty() && complaints.find("Sanitizer") != std::string::npos)
    wrong = "a sanitizer's report";
  if (wrong.empty()) {
    fmt::print(
        "{} rounds, {} sessions, {} publications, {} deliveries: nothing is wrong (SEED={})\n",
        totals.rounds, totals.sessions, totals.publications, totals.deliveries, seed);
    return 0;
  }
  fmt::print("FAILED in round {}: {}\n{}\nTo try it again: make check-sessions SEED={}\n",
             totals.rounds + 1, wrong, complaints, seed);
  return 1;
}

}  // namespace
}  // namespace fanfare::checker

int main(int argc, char** argv) {
  if (argc < 4 || argc > 5) {
    fmt::print(stderr, "usage: session_checker BINARY SECONDS SEED [VISITORS]\n");
    return 2;
  }
  try {
    const std::size_t visitors = argc == 5 ? std::stoul(argv[4]) : 40;
    return fanfare::checker::check(argv[1], std::chrono::seconds(std::stol(argv[2])),
                                   std::stoull(argv[3]), visitors);
  } catch (const std::exception& failure) {
    fmt::print(stderr, "session_checker: {}\n", failure.what());
    return 1;
  }
}
