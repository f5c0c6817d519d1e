#include "amplify/trial.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <stdexcept>

#include <fmt/format.h>

#include "amplify/background.hpp"
#include "amplify/meter.hpp"
#include "amplify/player.hpp"
#include "amplify/prober.hpp"
#include "amplify/process_use.hpp"
#include "support/server_process.hpp"

namespace fanfare::amplify {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// A case that is not over by then is stopped; the bounds hold for as far as it came.
constexpr milliseconds kCaseMax{25'000};

Script settling() {
  return parse("settle\n");
}

}  // namespace

std::string server_config() {
  // Sessions expire within a case that waits for it. 16 MiB of what has come in part stand for the
  // 256 of the default, so that few sockets are enough to fill them.
  std::string config =
      "[server]\ndemo = false\nlog_level = \"warning\"\n"
      "[limits]\nincoming_bytes_max = \"16MiB\"\n"
      "[bayeux]\nconnect_timeout = \"2s\"\nsession_timeouts = 2\n";
  for (const auto& [id, may_publish] :
       {std::pair{Background::kRealm, false}, {"loud", true}, {"strict", false}}) {
    config += fmt::format("[[realm]]\nid = \"{}\"\nkey = \"{}\"\nclient_publish = {}\n", id,
                          ServerProcess::key(), may_publish);
  }
  return config;
}

bool Outcome::shares_a_kind_with(const Outcome& other) const {
  return std::ranges::any_of(excesses, [&](const Excess& excess) {
    return std::ranges::find(other.excesses, excess.kind, &Excess::kind) != other.excesses.end();
  });
}

Outcome play(const Stage& stage, const Script& script, std::size_t workers,
             const std::function<void(pid_t)>& meanwhile) {
  ServerProcess server(stage.binary, server_config(), workers);
  const pid_t process = server.pid();
  Prober prober(process, server.port(), workers);
  Background background(server.port(), ServerProcess::token(Background::kRealm),
                        stage.bounds.patience);
  Player player({server.port(), [](std::string_view realm) { return ServerProcess::token(realm); },
                 [&] { return cpu_of_process(process); }});
  prober.start();
  background.start();

  Meter meter(process);

  const auto end = steady_clock::now() + kCaseMax;
  bool is_too_large = false;
  const auto is_over = [&] {
    if (!is_too_large && !meter.look()) {
      is_too_large = true;
      ::kill(process, SIGKILL);
    }
    return !server.is_running() || steady_clock::now() > end;
  };
  if (meanwhile) meanwhile(process);
  player.play(script, is_over);
  player.play(settling(), is_over);
  if (!player.stays()) player.leave();
  player.play(settling(), is_over);

  Outcome outcome;
  outcome.spent = player.spent();
  outcome.refusal = player.refusal();
  outcome.cost.cpu = meter.cpu();
  outcome.cost.memory = meter.memory();
  outcome.cost.background = background.finish();
  prober.stop();
  if (prober.answers() == 0)
    throw std::runtime_error("nobody has answered for the server's health");
  outcome.cost.longest_turn = prober.longest();
  if (outcome.cost.background.empty()) outcome.cost.background = prober.complaint();
  outcome.cost.process = server.stop();
  if (is_too_large) outcome.cost.process = "the server was killed, before it took all there is";
  outcome.excesses = judge(stage.bounds, outcome.spent, outcome.cost);
  return outcome;
}

Outcome confirm(const Stage& stage, const Script& script, std::size_t workers, Outcome first,
                int times) {
  Outcome last = first;
  for (int i = 0; i < times && !last.is_good(); ++i) {
    last = play(stage, script, workers);
    if (!last.shares_a_kind_with(first)) last.excesses.clear();
  }
  return last;
}

}  // namespace fanfare::amplify
