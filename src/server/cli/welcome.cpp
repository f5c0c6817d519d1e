#include "server/cli/welcome.hpp"

#include <fmt/format.h>

#include "server/cli/snippets.hpp"
#include "server/cli/version.hpp"

namespace fanfare::server::cli {
namespace {

std::string facts(const Welcome& welcome, const std::string& base, const Paint& paint) {
  std::string text;
  if (!welcome.config_file.empty()) text += fact(paint, "Config", welcome.config_file);
  const std::size_t open_addresses = welcome.addresses.size() - welcome.proxied_addresses;
  for (std::size_t i = 0; i < welcome.addresses.size(); ++i) {
    const auto* const remark = i < open_addresses ? "" : " (PROXY protocol)";
    text += fact(paint, "Listen", welcome.addresses[i] + remark);
  }
  for (const auto& realm : welcome.realms) {
    text += fact(paint, "Realm", realm.id.value());
    if (welcome.is_realm_new) text += fact(paint, "Key", realm.keys.front().text);
  }
  if (welcome.has_demo) text += fact(paint, "Demo", base + "/demo/");
  return text;
}

std::string where_keys_are(const Welcome& welcome) {
  if (welcome.show_command.empty()) return "\n";
  const bool is_only = welcome.realms.size() == 1;
  return fmt::format("\n`{} {}` prints its key and what to paste.\n\n", welcome.show_command,
                     is_only ? welcome.realms.front().id.value() : "ID");
}

}  // namespace

std::string welcome_text(const Welcome& welcome, const Paint& paint) {
  const std::string base = url_of(welcome.addresses.front());
  const std::string text =
      fmt::format("\n{} {}\n\n{}", paint.title("fanfare"), kVersion, facts(welcome, base, paint));
  if (!welcome.is_realm_new) return text + where_keys_are(welcome);
  return text + snippets_text({welcome.realms.front(), base, welcome.library_file,
                               welcome.library_integrity, welcome.realms.size() == 1},
                              paint);
}

}  // namespace fanfare::server::cli
