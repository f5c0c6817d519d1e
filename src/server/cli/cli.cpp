#include "server/cli/cli.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/memory.hpp"
#include "server/cli/commands.hpp"
#include "server/cli/console.hpp"
#include "server/config_keys.hpp"

namespace fanfare::server::cli {
namespace {

constexpr int kUsageError = 2;

constexpr const char* kHelp = R"help(Usage: fanfare COMMAND [OPTIONS]

Realtime messages for web sites: fanfare holds the connections of your visitors,
and your site publishes to all of them with one HTTP call.

Commands:
  serve           Run the server
  publish         Publish one message
  subscribe       Listen to a channel and print what is published
  bench           Put a server under load and measure it
  realm           Print a realm's key and what to paste, or list the realms
  check-config    Say what is wrong with a configuration file, or explain its keys
  version         Print the version

`fanfare COMMAND --help` explains a command.

To begin, run `fanfare serve` and open the page it names.
)help";

constexpr std::array<std::string_view, 7> kCommands{"serve", "publish",      "subscribe", "bench",
                                                    "realm", "check-config", "version"};

void add_commands(CLI::App& program, Command& chosen) {
  program.formatter_fn([](const auto*, const auto&, auto) { return kHelp; });
  add_serve(program, chosen);
  add_publish(program, chosen);
  add_subscribe(program, chosen);
  add_bench(program, chosen);
  add_realm(program, chosen);
  add_check_config(program, chosen);
  add_version(program, chosen);
}

int usage_error(std::string_view text) {
  complain(text);
  return kUsageError;
}

// Told here rather than by the parser, which would call it an unexpected argument.
bool is_unknown_command(std::string_view word) {
  return !word.starts_with('-') && std::ranges::find(kCommands, word) == kCommands.end();
}

int explain(const CLI::App& program, const CLI::ParseError& error) {
  const auto commands = program.get_subcommands();
  const auto& named = commands.empty() ? program : *commands.front();
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
    print(named.help());
    return 0;
  }
  return usage_error(fmt::format("{} (`fanfare{} --help` explains)", error.what(),
                                 commands.empty() ? "" : " " + named.get_name()));
}

}  // namespace

int run(int argc, char** argv) {
  base::end_when_out_of_memory();
  // A reader that goes away (`| head -1`) is an error of a write, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
  if (argc < 2) return print(kHelp) ? 0 : 1;
  if (is_unknown_command(argv[1])) {
    return usage_error(
        fmt::format("there is no command '{}'; did you mean {}? `fanfare --help` lists them all",
                    argv[1], nearest_word(argv[1], kCommands)));
  }
  CLI::App program;
  Command chosen;
  add_commands(program, chosen);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {  // how CLI11 reports, also a --help
    return explain(program, error);
  }
  return chosen();
}

}  // namespace fanfare::server::cli
