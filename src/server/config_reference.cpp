#include <string>
#include <string_view>

#include "server/config.hpp"
#include "server/config_keys.hpp"

namespace fanfare::server {
namespace {

// Comments fold here, with their "# ".
constexpr std::size_t kColumns = 80;

void write_comment(std::string& out, std::string_view text) {
  std::size_t column = 0;
  while (!text.empty()) {
    const auto word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (column == 0 || column + 1 + word.size() > kColumns) {
      out += column == 0 ? "#" : "\n#";
      column = 1;
    }
    out += ' ';
    out += word;
    column += 1 + word.size();
  }
  out += '\n';
}

// `prefix` is "# " where the whole section is only an example.
template <typename Target>
void write_keys(std::string& out, std::span<const ConfigKey<Target>> keys, const Target& defaults,
                std::string_view prefix = "") {
  for (const auto& key : keys) {
    out += '\n';
    write_comment(out, key.about);
    out += key.example.empty() ? prefix : std::string_view("# ");
    out += key.name;
    out += " = ";
    out += key.example.empty() ? key.show(defaults) : std::string(key.example);
    out += '\n';
  }
}

void write_title(std::string& out, std::string_view title, std::string_view about) {
  out += '\n';
  write_comment(out, about);
  out += title;
  out += '\n';
}

}  // namespace

std::string config_reference() {
  const Config defaults;
  std::string out;
  write_comment(out,
                "fanfare.toml: every key there is. A key that stands here without '#' has its "
                "default value, so this file does what no file does. Sizes and times are text with "
                "a unit: \"512B\", \"64KiB\", \"2MB\"; \"250ms\", \"30s\", \"5m\", \"12h\", "
                "\"7d\". What the command line says goes before what stands here.");
  write_title(out, "[server]",
              "The program itself. Each key is also a flag of `fanfare serve`; what may be a "
              "list is given one by one, as in `--trusted-proxy 127.0.0.1 --trusted-proxy ::1`.");
  write_keys(out, server_keys(), defaults);
  write_title(out, "[limits]",
              "What a client may use. The first ones hold for the whole server, before a realm is "
              "known.");
  write_keys(out, server_limit_keys(), defaults.server_limits);
  out += '\n';
  write_comment(out, "From here on for each realm by itself; [realm.limits] may set them too.");
  write_keys(out, realm_limit_keys(), defaults.realm_limits);
  write_title(out, "[bayeux]",
              "How browsers are paced. For each realm by itself; [realm.bayeux] may set them too.");
  write_keys(out, bayeux_keys(), defaults.bayeux);
  write_title(out, "# [[realm]]",
              "A realm: one site, or one customer. Write the section once for each. Without any, "
              "and with none in the data directory, `fanfare serve` makes one and keeps it there.");
  write_keys(out, realm_keys(), core::Realm{}, "# ");
  write_title(out, "# [realm.limits]",
              "This realm's own limits: the keys of [limits] after the first part.");
  out += "# message_bytes_max = \"16KiB\"\n";
  write_title(out, "# [realm.bayeux]", "This realm's own pace: the keys of [bayeux].");
  out += "# connect_timeout = \"25s\"\n";
  return out;
}

}  // namespace fanfare::server
