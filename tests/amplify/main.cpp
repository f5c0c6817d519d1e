// Looks for what costs a server much more than it costs an attacker. README.md says how.
//
//   amplify fuzz BINARY SECONDS SEED CORPUS FOUND    what `make amplify` does
//   amplify play BINARY WORKERS FILE...              these scripts, each once
//   amplify self-test BINARY                         whether the bounds can fail
//   amplify attack URL FILE                          this script again and again, until it is
//   stopped

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <sys/resource.h>
#include <vector>

#include <fmt/format.h>

#include "amplify/attack.hpp"
#include "amplify/generator.hpp"
#include "amplify/report.hpp"
#include "amplify/self_test.hpp"
#include "amplify/shrink.hpp"
#include "amplify/trial.hpp"
#include "support/random.hpp"

namespace fanfare::amplify {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

// A failure is made smaller for as long as somebody might want to wait for it.
constexpr std::size_t kShrinkTries = 100;
constexpr std::chrono::seconds kShrinkTime{60};

Script read_script(const fs::path& file) {
  std::ifstream stream(file);
  if (!stream) throw std::runtime_error(fmt::format("{} cannot be read", file.string()));
  try {
    return parse(std::string(std::istreambuf_iterator<char>(stream), {}));
  } catch (const std::runtime_error& wrong) {
    throw std::runtime_error(fmt::format("{}: {}", file.string(), wrong.what()));
  }
}

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files(fs::directory_iterator(folder), fs::directory_iterator{});
  std::erase_if(files, [](const fs::path& file) { return file.extension() != ".txt"; });
  std::ranges::sort(files);
  return files;
}

void say(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

class Campaign {
 public:
  Campaign(Stage stage, fs::path found) : stage_(std::move(stage)), found_(std::move(found)) {}

  /// Whether it keeps the bounds; where not, it is confirmed, and made smaller if that is wanted.
  void attempt(const std::string& name, const Script& script, bool may_shrink) {
    // Even rounds have one worker, odd ones two.
    const std::size_t workers = 1 + rounds_++ % 2;
    const Outcome first = play(stage_, script, workers);
    say(fmt::format("{:<36} {} worker{} {}\n", name, workers,
                    workers == 1 ? ": " : "s:", figures(stage_.bounds, first)));
    if (first.is_good()) return;
    const Outcome outcome = confirm(stage_, script, workers, first);
    if (outcome.is_good()) {
      say(fmt::format("  went over a bound once, and not again:\n{}", complaints(first)));
      return;
    }
    failed_.push_back(name);
    say(fmt::format("  FAILED, four times of four:\n{}", complaints(outcome)));
    if (may_shrink) keep(name, make_smaller(script, outcome, workers), workers);
  }

  [[nodiscard]] std::size_t rounds() const { return rounds_; }
  [[nodiscard]] const std::vector<std::string>& failed() const { return failed_; }

 private:
  Script make_smaller(const Script& script, const Outcome& outcome, std::size_t workers) {
    const auto deadline = steady_clock::now() + kShrinkTime;
    // Twice: what is left must not be at the edge.
    const auto still_fails = [&](const Script& smaller) {
      return steady_clock::now() < deadline &&
             play(stage_, smaller, workers).shares_a_kind_with(outcome) &&
             play(stage_, smaller, workers).shares_a_kind_with(outcome);
    };
    return shrink(script, still_fails, kShrinkTries);
  }

  void keep(const std::string& name, Script script, std::size_t workers) {
    const Outcome outcome = play(stage_, script, workers);
    script.about += fmt::format(", {} worker(s): {}", workers, figures(stage_.bounds, outcome));
    fs::create_directories(found_);
    const fs::path file = found_ / (name + ".txt");
    std::ofstream(file) << print(script);
    say(fmt::format(
        "  made smaller, in {} (once it is mended, its place is tests/amplify/corpus):\n{}",
        file.string(), print(script)));
  }

  Stage stage_;
  fs::path found_;
  std::size_t rounds_ = 0;
  std::vector<std::string> failed_;
};

int fuzz(const Stage& stage, std::chrono::seconds duration, std::uint64_t seed,
         const fs::path& corpus, const fs::path& found) {
  say(fmt::format("amplify: SEED={}\n", seed));
  const auto end = steady_clock::now() + duration;
  test_ourselves(stage);
  Campaign campaign(stage, found);
  for (const fs::path& file : files_in(corpus)) {
    campaign.attempt(file.stem(), read_script(file), false);
  }
  Random seeds(seed);
  const std::size_t known = campaign.rounds();
  // However long the corpus took, something new is tried.
  for (std::size_t i = 0; i == 0 || steady_clock::now() < end; ++i) {
    campaign.attempt(fmt::format("seed-{}-{}", seed, i), generate(seeds.seed()), true);
  }
  const std::string tried =
      fmt::format("{} known and {} new scripts", known, campaign.rounds() - known);
  if (campaign.failed().empty()) {
    say(fmt::format("amplify: {}, all within their bounds (SEED={})\n", tried, seed));
    return 0;
  }
  say(fmt::format("amplify: {}, {} FAILED:", tried, campaign.failed().size()));
  for (const std::string& name : campaign.failed()) say(' ' + name);
  say(fmt::format("\nTo try it again: make amplify SEED={}\n", seed));
  return 1;
}

int play_files(const Stage& stage, std::size_t workers, const std::vector<std::string>& files) {
  bool is_good = true;
  for (const std::string& file : files) {
    const Outcome outcome = play(stage, read_script(file), workers);
    is_good = is_good && outcome.is_good();
    say(fmt::format("{}: {}\n{}", file, figures(stage.bounds, outcome), complaints(outcome)));
    if (!outcome.refusal.empty())
      say(fmt::format("    the site was answered {}\n", outcome.refusal));
  }
  return is_good ? 0 : 1;
}

int usage() {
  fmt::print(stderr,
             "usage: amplify fuzz BINARY SECONDS SEED CORPUS FOUND\n"
             "       amplify play BINARY WORKERS FILE...\n"
             "       amplify self-test BINARY\n"
             "       amplify attack URL FILE\n");
  return 2;
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.size() < 2) return usage();
  const std::string& mode = arguments[0];
  if (mode == "attack" && arguments.size() == 3)
    return attack(arguments[1], read_script(arguments[2]));
  const Stage stage{arguments[1], {}};
  if (mode == "self-test" && arguments.size() == 2) {
    test_ourselves(stage);
    say("amplify: its bounds can fail\n");
    return 0;
  }
  if (mode == "play" && arguments.size() > 3) {
    return play_files(stage, std::stoul(arguments[2]), {arguments.begin() + 3, arguments.end()});
  }
  if (mode == "fuzz" && arguments.size() == 6) {
    return fuzz(stage, std::chrono::seconds(std::stol(arguments[2])), std::stoull(arguments[3]),
                arguments[4], arguments[5]);
  }
  return usage();
}

/// Thousands of sockets: as many files as the system lets us have.
void raise_file_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace
}  // namespace fanfare::amplify

int main(int argc, char** argv) {
  try {
    fanfare::amplify::raise_file_limit();
    return fanfare::amplify::run({argv + 1, argv + argc});
  } catch (const std::exception& failure) {
    fmt::print(stderr, "amplify: {}\n", failure.what());
    return 1;
  }
}
