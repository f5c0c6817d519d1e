#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/fault.hpp"
#include "base/log.hpp"
#include "server/cli/commands.hpp"
#include "server/cli/console.hpp"
#include "server/cli/realms.hpp"
#include "server/cli/snippets.hpp"
#include "server/cli/stop_signals.hpp"
#include "server/cli/system_limits.hpp"
#include "server/cli/welcome.hpp"
#include "server/config.hpp"
#include "server/server.hpp"

namespace fanfare::server::cli {
namespace {

constexpr const char* kHelp = R"help(Usage: fanfare serve [OPTIONS]

Runs the server: holds the connections of browsers, and takes what your site
publishes. Started for the first time, it makes a realm with a key, keeps both
in the data directory, and prints them with what to paste into your page and
your site. Later, `fanfare realm show` prints that again.

Options:
  --listen ADDR:PORT      Where to listen; repeat it for more than one place.
                          Default: 127.0.0.1:8400, which only this machine can
                          reach. For everybody: 0.0.0.0:8400
  --trusted-proxy ADDR    A proxy, or a network of them, whose word counts about
                          the address of a visitor (Forwarded, X-Forwarded-For,
                          PROXY protocol); may be repeated. Default: none
  --data DIR              Where realms and keys are kept.
                          Default: ./fanfare-data
  --config FILE           Default: fanfare.toml, if there is one here.
                          `fanfare check-config --reference` prints every key.
  --realm ID:BASE64KEY    A realm that needs no data directory; may be repeated.
  --static DIR            Files to serve under /bayeux/static/
  --workers N             Threads. Default: one for each processor.
  --domain NAME           {realm}.NAME names a realm; may be repeated.
                          Default: localhost
  --demo                  The page under /demo/ also when others than this
                          machine can reach it, and write on it.
  --log-level LEVEL       debug, info, warning or error. Default: info
  -h, --help              This text.

What stands here goes before what stands in the file. Ctrl-C, or SIGTERM, ends
the server after it has told its clients; a second one ends it at once.

Examples:
  fanfare serve
  fanfare serve --listen 0.0.0.0:80 --data /var/lib/fanfare
  fanfare serve --realm "demo:$(openssl rand -base64 32)"
)help";

int fail_all(const std::vector<std::string>& texts) {
  for (const auto& text : texts) complain(text);
  return 1;
}

// What shows a key that this server has, or nothing if all keys stand on its own command line.
std::string show_command(const ConfigFlags& flags, const std::vector<core::Realm>& realms,
                         const std::string& address) {
  const auto is_flagged = [&flags](const core::Realm& realm) {
    const std::string begin = realm.id.value() + ":";
    return std::ranges::any_of(
        flags.realm, [&begin](const std::string& text) { return text.starts_with(begin); });
  };
  if (std::ranges::all_of(realms, is_flagged)) return "";
  std::string command = "fanfare realm show";
  if (flags.config) command += " --config " + *flags.config;
  if (flags.data) command += " --data " + *flags.data;
  if (!flags.listen.empty()) command += " --url " + url_of(address);
  return command;
}

int serve(const ConfigFlags& flags) {
  const auto reading = read_config(flags);
  if (!reading.mistakes.empty()) return fail_all(reading.mistakes);
  Config config = reading.config;
  base::log::set_level(config.log_level);
  raise_open_files_limit();
  if (const auto possible = connections_possible(config)) {
    base::log::warning(fmt::format(
        "connections_max is {}, but the system gives out files for {} connections: newcomers "
        "beyond are refused; `fanfare check-config` says what to raise",
        config.server_limits.connections_max, *possible));
    config.server_limits.connections_max = *possible;
  }

  const auto served = realms_to_serve(config);
  if (!served) return fail(served.error().detail);
  const auto& [realms, is_realm_new] = *served;
  StopSignals::block();  // the server's threads inherit it
  auto server = Server::start(config, realms);
  if (!server) return fail(server.error().detail);

  const auto [library_file, library_integrity] = Server::browser_library();
  const Welcome welcome{(*server)->addresses(),
                        realms,
                        reading.file,
                        library_file,
                        library_integrity,
                        config.has_demo(),
                        (*server)->proxied_addresses(),
                        is_realm_new,
                        show_command(flags, realms, (*server)->addresses().front())};
  // Nobody has to read it: the server runs all the same.
  static_cast<void>(print(welcome_text(welcome, Paint::for_stream(stdout))));
  const StopSignals signals([&server] { (*server)->stop(); });
#ifdef FANFARE_FAULTS
  base::faults::throw_as_told_by_environment();
#endif
  (*server)->run();
  return 0;
}

}  // namespace

void add_serve(CLI::App& program, Command& chosen) {
  auto* command = program.add_subcommand("serve");
  command->formatter_fn([](const auto*, const auto&, auto) { return kHelp; });
  const auto flags = std::make_shared<ConfigFlags>();
  const auto add_list = [command](const char* name, std::vector<std::string>& into) {
    // One value each time, so that what follows is never taken for a second one.
    command->add_option(name, into)->expected(1)->take_all()->allow_extra_args(false);
  };
  add_list("--listen", flags->listen);
  add_list("--trusted-proxy", flags->trusted_proxy);
  command->add_option("--data", flags->data);
  command->add_option("--config", flags->config);
  add_list("--realm", flags->realm);
  command->add_option("--static", flags->static_dir);
  command->add_option("--workers", flags->workers);
  add_list("--domain", flags->domain);
  command->add_flag("--demo", flags->demo);
  command->add_option("--log-level", flags->log_level);
  command->callback([flags, &chosen] { chosen = [flags] { return serve(*flags); }; });
}

}  // namespace fanfare::server::cli
