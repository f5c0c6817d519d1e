#include "amplify/attack.hpp"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>

#include "amplify/player.hpp"

namespace fanfare::amplify {
namespace {

volatile std::sig_atomic_t is_told_to_stop = 0;

void stop(int /*signal*/) {
  is_told_to_stop = 1;
}

struct Place {
  std::uint16_t port = 0;
  std::string realm;
};

Place read_url(const std::string& url) {
  constexpr std::string_view kBefore = "http://127.0.0.1:";
  constexpr std::string_view kBetween = "/r/";
  Place place;
  const std::size_t slash = url.find(kBetween, kBefore.size());
  if (!url.starts_with(kBefore) || slash == std::string::npos)
    throw std::runtime_error("write the URL as http://127.0.0.1:PORT/r/REALM");
  std::from_chars(url.data() + kBefore.size(), url.data() + slash, place.port);
  place.realm = url.substr(slash + kBetween.size());
  return place;
}

/// Everything is done in the realm that is there.
Script moved_to(const std::string& realm, Script script) {
  for (Step& step : script.steps) {
    if (step.verb == "publish") throw std::runtime_error("the site publishes in this script");
    if (step.verb == "open" || step.verb == "handshake") step.set("realm", realm);
  }
  return script;
}

}  // namespace

int attack(const std::string& url, const Script& script) {
  const Place place = read_url(url);
  Script once = moved_to(place.realm, script);
  Script again;
  const auto settles = std::ranges::find(once.steps, "settle", &Step::verb);
  if (settles != once.steps.end()) {
    again.steps.assign(settles, once.steps.end());
    once.steps.erase(settles, once.steps.end());
  }
  std::signal(SIGTERM, stop);
  std::signal(SIGINT, stop);
  const auto is_over = [] { return is_told_to_stop != 0; };
  Player player({.port = place.port, .token = {}, .cpu_used = {}, .is_repeated = true});
  std::size_t rounds = 0;
  while (!is_over()) {
    // A socket that was closed is no attack any more.
    if (!player.has_all_sockets()) {
      player.leave();
      player.play(once, is_over);
    }
    player.play(again, is_over);
    ++rounds;
  }
  fmt::print("{} rounds, {} bytes sent, {} received\n", rounds, player.spent().wire_bytes,
             player.spent().received_bytes);
  return 0;
}

}  // namespace fanfare::amplify
