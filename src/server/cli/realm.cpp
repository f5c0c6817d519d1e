#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "server/cli/commands.hpp"
#include "server/cli/console.hpp"
#include "server/cli/realms.hpp"
#include "server/cli/server_address.hpp"
#include "server/cli/snippets.hpp"
#include "server/config.hpp"
#include "server/server.hpp"

namespace fanfare::server::cli {
namespace {

using base::Errc;
using base::Error;
using base::Result;

constexpr const char* kHelp = R"help(Usage: fanfare realm show [ID] [OPTIONS]
       fanfare realm list [OPTIONS]

show prints a realm's key, where browsers and your site reach it, and what to
paste into both, as the first start of the server did. ID may be left out where
there is only one. list prints the ids of all realms, one a line.

Both look into the data directory and the configuration file, and leave the
server alone, which may run or not.

Options:
  --data DIR      Where realms and keys are kept. Default: ./fanfare-data
  --config FILE   Default: fanfare.toml, if there is one here.
  --url URL       Where visitors reach the server, for what to paste.
                  Default: the first address that it listens on.
  -h, --help      This text.

Examples:
  fanfare realm show
  fanfare realm show 8c561903 --url https://push.example.com
  fanfare realm list --data /var/lib/fanfare
)help";

struct RealmFlags {
  ConfigFlags config;
  std::optional<std::string> id;
  std::optional<std::string> url;
};

// So many stand in a sentence; `list` prints them all.
constexpr std::size_t kIdsNamedMax = 10;

std::string named(const std::vector<core::Realm>& realms) {
  std::string ids;
  for (std::size_t i = 0; i < std::min(realms.size(), kIdsNamedMax); ++i) {
    ids += (i == 0 ? "" : ", ") + realms[i].id.value();
  }
  if (realms.size() <= kIdsNamedMax) return ids;
  return fmt::format("{} and {} more, which `fanfare realm list` prints", ids,
                     realms.size() - kIdsNamedMax);
}

Error no_realm(const Config& config) {
  return {Errc::not_found,
          fmt::format("there is no realm yet in '{}' nor in a configuration file: a first `fanfare "
                      "serve` makes one, or name the server's own directory with --data, its file "
                      "with --config",
                      config.data_dir)};
}

Result<const core::Realm*> choose(const std::vector<core::Realm>& realms,
                                  const std::optional<std::string>& id, const Config& config) {
  if (realms.empty()) return no_realm(config);
  if (!id && realms.size() == 1) return &realms.front();
  if (!id) {
    return Error{Errc::invalid,
                 fmt::format("there are {} realms; say which: {}", realms.size(), named(realms))};
  }
  const auto found =
      std::ranges::find(realms, *id, [](const core::Realm& realm) { return realm.id.value(); });
  if (found != realms.end()) return &*found;
  return Error{Errc::not_found, fmt::format("there is no realm '{}'; there {} {}", *id,
                                            realms.size() == 1 ? "is" : "are", named(realms))};
}

// Complains about all mistakes of the file, or else does `act(config, realms)`.
template <typename Act>
int with_realms(const ConfigFlags& flags, Act act) {
  const auto reading = read_config(flags);
  for (const auto& mistake : reading.mistakes) complain(mistake);
  if (!reading.mistakes.empty()) return 1;
  const auto realms = known_realms(reading.config);
  if (!realms) return fail(realms.error().detail);
  return act(reading.config, *realms);
}

int show(const RealmFlags& flags) {
  const auto print_one = [&flags](const Config& config, const std::vector<core::Realm>& realms) {
    const auto realm = choose(realms, flags.id, config);
    if (!realm) return fail(realm.error().detail);
    const auto [library_file, library_integrity] = Server::browser_library();
    const std::string base =
        flags.url ? base_url(*flags.url) : url_of(to_string(config.listen.front()));
    const Pasting pasting{**realm, base, library_file, library_integrity, realms.size() == 1};
    return print(realm_text(pasting, Paint::for_stream(stdout))) ? 0 : 1;
  };
  return with_realms(flags.config, print_one);
}

int list(const RealmFlags& flags) {
  const auto print_all = [](const Config& config, const std::vector<core::Realm>& realms) {
    if (realms.empty()) return fail(no_realm(config).detail);
    std::string text;
    for (const auto& realm : realms) text += realm.id.value() + "\n";
    return print(text) ? 0 : 1;
  };
  return with_realms(flags.config, print_all);
}

}  // namespace

void add_realm(CLI::App& program, Command& chosen) {
  auto* command = program.add_subcommand("realm");
  const auto help = [](const auto*, const auto&, auto) { return kHelp; };
  command->formatter_fn(help);
  command->require_subcommand(1);
  const auto flags = std::make_shared<RealmFlags>();
  const auto add = [&](const char* name, int (*act)(const RealmFlags&)) {
    auto* verb = command->add_subcommand(name);
    verb->formatter_fn(help);
    verb->add_option("--data", flags->config.data);
    verb->add_option("--config", flags->config.config);
    verb->callback([flags, act, &chosen] { chosen = [flags, act] { return act(*flags); }; });
    return verb;
  };
  auto* const to_show = add("show", &show);
  to_show->add_option("id", flags->id);
  to_show->add_option("--url", flags->url);
  add("list", &list);
}

}  // namespace fanfare::server::cli
