#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "server/cli/bayeux_client.hpp"
#include "server/cli/commands.hpp"
#include "server/cli/console.hpp"
#include "server/cli/http_client.hpp"
#include "server/cli/realms.hpp"
#include "server/cli/server_address.hpp"
#include "server/cli/stop_signals.hpp"

namespace fanfare::server::cli {
namespace {

constexpr const char* kHelp = R"help(Usage: fanfare subscribe CHANNEL [OPTIONS]

Listens to a channel, as a browser would, and prints what is published there:
one line of JSON each. When the server goes away it waits for it to come back.
Ctrl-C ends it.

CHANNEL may be a pattern: 'news/*' is every channel right below news, 'news/**'
every channel at any depth below it.

Options:
  --url URL       The server. Default: http://127.0.0.1:8400
  --realm ID      The realm. Default: $FANFARE_REALM, else $FANOUT_REALM, else
                  the one realm that the server has.
  --count N       End after N publications.
  -h, --help      This text.

Examples:
  fanfare subscribe news
  fanfare subscribe 'comments/**' --url https://push.example.com --realm 3f2a9c1e
  fanfare subscribe news --count 1 | jq .title
)help";

constexpr std::uint64_t kCountMax = 1'000'000'000;

struct SubscribeFlags {
  std::string channel;
  std::string url = kDefaultUrl;
  std::optional<std::string> realm;
  std::optional<std::uint64_t> count;
};

std::string bayeux_url(const SubscribeFlags& flags) {
  const auto realm = find_realm_name(flags.realm);
  return base_url(flags.url) + (realm ? "/r/" + *realm : "") + "/bayeux";
}

int subscribe(const SubscribeFlags& flags) {
  if (const auto realm = find_realm_name(flags.realm)) {
    if (const auto id = core::parse_realm_id(*realm); !id) return fail(id.error().detail);
  }
  StopSignals::block();
  HttpClient http;
  const StopSignals signals([&http] { http.stop(); });
  std::uint64_t seen = 0;
  const auto on_data = [&](std::string_view json) {
    return print(std::string(json) + '\n') && ++seen != flags.count;
  };
  BayeuxClient client(http, bayeux_url(flags), bayeux_channel(flags.channel),
                      {on_data, [](std::string_view sentence) { complain(sentence); }});
  const auto status = client.run();
  client.leave();
  return status ? 0 : fail(status.error().detail);
}

}  // namespace

void add_subscribe(CLI::App& program, Command& chosen) {
  auto* command = program.add_subcommand("subscribe");
  command->formatter_fn([](const auto*, const auto&, auto) { return kHelp; });
  const auto flags = std::make_shared<SubscribeFlags>();
  command->add_option("CHANNEL", flags->channel)->required();
  command->add_option("--url", flags->url);
  command->add_option("--realm", flags->realm);
  command->add_option("--count", flags->count)->check(CLI::Range(std::uint64_t{1}, kCountMax));
  command->callback([flags, &chosen] { chosen = [flags] { return subscribe(*flags); }; });
}

}  // namespace fanfare::server::cli
