#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "server/cli/commands.hpp"
#include "server/cli/console.hpp"
#include "server/cli/system_limits.hpp"
#include "server/config.hpp"
#include "server/config_keys.hpp"

namespace fanfare::server::cli {
namespace {

constexpr const char* kHelp = R"help(Usage: fanfare check-config [OPTIONS]

Reads a configuration file and says everything that is wrong with it, line by
line; or else what it comes to. Nothing is started, made or changed.

Options:
  --config FILE   Default: fanfare.toml
  --reference     Print a file with every key there is, explained, each at its
                  default. A good start for a file of your own.
  -h, --help      This text.

Examples:
  fanfare check-config --reference > fanfare.toml
  fanfare check-config && systemctl restart fanfare
)help";

template <typename Target>
std::string show_keys(std::span<const ConfigKey<Target>> keys, const Target& target,
                      const Target& defaults, bool shows_defaults) {
  std::string text;
  for (const auto& key : keys) {
    const std::string value = key.show(target);
    const bool is_absent = value == R"("")";
    if (is_absent || (!shows_defaults && value == key.show(defaults))) continue;
    text += fmt::format("  {} = {}\n", key.name, value);
  }
  return text;
}

std::string section(std::string_view title, const std::string& keys) {
  return keys.empty() ? "" : fmt::format("\n{}\n{}", title, keys);
}

std::string summary_of(const core::Realm& realm, const Config& config) {
  std::string text = fmt::format("  id = \"{}\", {}\n", realm.id.value(),
                                 realm.keys.size() == 1 ? "one key" : "two keys");
  const core::Realm defaults;
  for (const auto& key : realm_keys()) {
    if (key.name == "id" || key.name == "key" || key.name == "keys") continue;
    const std::string value = key.show(realm);
    if (value != key.show(defaults)) text += fmt::format("  {} = {}\n", key.name, value);
  }
  text += show_keys(realm_limit_keys(), realm.limits, config.realm_limits, false);
  text += show_keys(bayeux_keys(), realm.bayeux, config.bayeux, false);
  return text;
}

// The server's keys in full; of the rest what is not as it always is. Keys are secret.
std::string summary_of(const Config& config) {
  const Config defaults;
  std::string text =
      section("[server]", show_keys(server_keys(), config, defaults, true)) +
      section(
          "[limits]",
          show_keys(server_limit_keys(), config.server_limits, defaults.server_limits, false) +
              show_keys(realm_limit_keys(), config.realm_limits, defaults.realm_limits, false)) +
      section("[bayeux]", show_keys(bayeux_keys(), config.bayeux, defaults.bayeux, false));
  for (const auto& realm : config.realms) text += section("[[realm]]", summary_of(realm, config));
  return text;
}

int check_config(const std::string& file) {
  ConfigFlags flags;
  flags.config = file;
  const auto reading = read_config(flags);
  for (const auto& mistake : reading.mistakes) complain(mistake);
  if (!reading.mistakes.empty()) return 1;
  print(fmt::format("{} is fine\n{}", file, summary_of(reading.config)));
  for (const auto& warning : system_warnings(reading.config)) complain("warning: " + warning);
  return 0;
}

int print_reference() {
  return print(config_reference()) ? 0 : 1;
}

}  // namespace

void add_check_config(CLI::App& program, Command& chosen) {
  auto* command = program.add_subcommand("check-config");
  command->formatter_fn([](const auto*, const auto&, auto) { return kHelp; });
  const auto file = std::make_shared<std::string>(kDefaultConfigFile);
  const auto wants_reference = std::make_shared<bool>(false);
  command->add_option("--config", *file);
  command->add_flag("--reference", *wants_reference);
  command->callback([file, wants_reference, &chosen] {
    chosen = [file, wants_reference] {
      return *wants_reference ? print_reference() : check_config(*file);
    };
  });
}

}  // namespace fanfare::server::cli
