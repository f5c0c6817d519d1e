#include "amplify/self_test.hpp"

#include <algorithm>
#include <csignal>
#include <stdexcept>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "amplify/background.hpp"
#include "amplify/generator.hpp"
#include "amplify/report.hpp"
#include "amplify/shrink.hpp"

namespace fanfare::amplify {
namespace {

constexpr std::string_view kHonest =
    "# an honest visitor\n"
    "open sockets=a as=deflate\n"
    "handshake sessions=s ack=true\n"
    "send sockets=a sessions=s what=subscribe\n"
    "publish times=5 size=1000\n"
    "send sockets=a sessions=s what=connect timeout=0\n";

// Also honest, but for how many come from one place: it has to be seen in the server's memory.
constexpr std::string_view kCrowd = "# a crowd\nhandshake sessions=s count=3000\n";

void expect(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error("the fuzzer itself is wrong: " + what);
}

void test_scripts() {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const Script script = generate(seed);
    expect(parse(print(script)) == script,
           "a script changes when it is written down: " + print(script));
    expect(generate(seed) == script, "a seed does not repeat its script");
  }
  bool was_refused = false;
  try {
    parse("open sockets=a colour=red\n");
  } catch (const std::runtime_error&) {
    was_refused = true;
  }
  expect(was_refused, "a field that does not exist is taken");
}

void test_shrinking() {
  const auto still_fails = [](const Script& script) {
    return std::ranges::any_of(script.steps, [](const Step& step) {
      return step.verb == "send" && step.text("what") == "connect" &&
             step.number("messages", 1) >= 40;
    });
  };
  const Script large = parse(
      "open sockets=a count=100\nhandshake sessions=s count=7\nsend sockets=a what=tiny times=900\n"
      "send sockets=a sessions=s what=connect messages=1000 timeout=0\nsettle\n");
  const Script small = shrink(large, still_fails, 1'000);
  expect(small.steps.size() == 1, "shrinking leaves steps that do not matter: " + print(small));
  expect(small.steps[0].number("messages", 1) < 80,
         "shrinking leaves numbers large: " + print(small));
  expect(still_fails(small), "shrinking has lost the failure");
}

void test_rows() {
  Row row;
  expect(row.take(1).empty() && row.take(2).empty(), "1, 2 is no good row");
  expect(!row.take(2).empty(), "a number may come twice");
  expect(!row.take(4).empty(), "a number may be missing");
  expect(!row.take(3).empty(), "a number may be late");
}

/// That bound is exceeded, and no other.
void expect_excess(const Stage& stage, Kind kind, std::string_view script) {
  const Outcome outcome = play(stage, parse(script), 1);
  const bool is_found =
      std::ranges::find(outcome.excesses, kind, &Excess::kind) != outcome.excesses.end();
  expect(is_found, fmt::format("an absurd bound of {} is kept: {}", name_of(kind),
                               figures(stage.bounds, outcome)));
  expect(outcome.excesses.size() == 1, "one absurd bound breaks others:\n" + complaints(outcome));
}

void test_bounds(const Stage& stage) {
  const Outcome honest = play(stage, parse(kHonest), 1);
  expect(confirm(stage, parse(kHonest), 1, honest).is_good(),
         "an honest visitor goes over the bounds:\n" + complaints(honest));
  expect(honest.spent.deliveries == 5 && honest.refusal.empty(),
         "the site's publishes do not arrive");
  expect(honest.spent.received_bytes > 5'000, "the honest visitor gets nothing");

  const auto nothing = std::chrono::milliseconds(0);
  Stage absurd = stage;
  absurd.bounds.turn = nothing;
  expect_excess(absurd, Kind::turn, kHonest);

  absurd = stage;
  absurd.bounds.cpu_fixed = std::chrono::milliseconds(-100'000);
  expect_excess(absurd, Kind::cpu, kHonest);

  absurd = stage;
  absurd.bounds.memory_fixed = absurd.bounds.memory_per_wire_byte =
      absurd.bounds.memory_per_socket = 0;
  absurd.bounds.memory_per_session = absurd.bounds.memory_per_subscription = 0;
  absurd.bounds.memory_per_published_byte = absurd.bounds.memory_per_delivery = 0;
  expect_excess(absurd, Kind::memory, kCrowd);

  absurd = stage;
  absurd.bounds.patience = nothing;
  expect_excess(absurd, Kind::background, kHonest);
}

void test_death(const Stage& stage) {
  const Outcome outcome =
      play(stage, parse("wait ms=100\n"), 1, [](pid_t server) { ::kill(server, SIGKILL); });
  const auto is_death = [](const Excess& excess) { return excess.kind == Kind::process; };
  expect(std::ranges::any_of(outcome.excesses, is_death), "a server may die");
}

}  // namespace

void test_ourselves(const Stage& stage) {
  test_scripts();
  test_shrinking();
  test_rows();
  test_bounds(stage);
  test_death(stage);
}

}  // namespace fanfare::amplify
