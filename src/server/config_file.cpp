#include "server/config_file.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

// A mistake in a file is not an exception here.
#define TOML_EXCEPTIONS 0
#include <fmt/format.h>
#include <toml++/toml.h>

#include "server/config_keys.hpp"

namespace fanfare::server {
namespace {

using Names = std::vector<std::string_view>;

template <typename Target>
void add_names(Names& names, std::span<const ConfigKey<Target>> keys) {
  for (const auto& key : keys) names.push_back(key.name);
}

struct Section {
  std::string_view title;
  Names names;
};

std::vector<Section> make_sections() {
  std::vector<Section> sections{
      {"[server]", {}},       {"[limits]", {}},
      {"[bayeux]", {}},       {"[[realm]]", {"limits", "bayeux"}},
      {"[realm.limits]", {}}, {"[realm.bayeux]", {}},
  };
  add_names(sections[0].names, server_keys());
  add_names(sections[1].names, server_limit_keys());
  add_names(sections[1].names, realm_limit_keys());
  add_names(sections[2].names, bayeux_keys());
  add_names(sections[3].names, realm_keys());
  add_names(sections[4].names, realm_limit_keys());
  add_names(sections[5].names, bayeux_keys());
  return sections;
}

const std::vector<Section>& sections() {
  static const auto all = make_sections();
  return all;
}

const Names& names_of(std::string_view title) {
  return std::ranges::find(sections(), title, &Section::title)->names;
}

std::string explain_unknown(std::string_view key, std::span<const std::string_view> known) {
  for (const auto& section : sections()) {
    if (std::ranges::find(section.names, key) != section.names.end()) {
      return fmt::format("belongs in {}; move it there", section.title);
    }
  }
  return fmt::format("is not known; did you mean {}?", nearest_word(key, known));
}

ConfigScalar to_scalar(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return number->get();
  if (const auto* on = node.as_boolean()) return on->get();
  return std::monostate{};
}

ConfigTable to_table(const toml::table& table) {
  ConfigTable entries;
  for (const auto& [key, node] : table) entries.emplace(key.str(), to_scalar(node));
  return entries;
}

ConfigValue to_list(const toml::array& array) {
  ConfigItems items;
  std::vector<std::string> texts;
  for (const auto& item : array) {
    if (const auto* text = item.as_string()) {
      items.emplace_back(texts.emplace_back(text->get()));
    } else if (const auto* table = item.as_table()) {
      items.emplace_back(to_table(*table));
    } else {
      return std::monostate{};
    }
  }
  if (texts.size() == items.size()) return texts;
  return items;
}

ConfigValue to_value(const toml::node& node) {
  if (const auto* array = node.as_array()) return to_list(*array);
  if (const auto* table = node.as_table()) return ConfigItems{to_table(*table)};
  return std::visit([](auto scalar) { return ConfigValue(std::move(scalar)); }, to_scalar(node));
}

class FileReader {
 public:
  FileReader(const std::string& name, const ConfigFlags& flags, Config& config)
      : name_(name), flags_(flags), config_(config) {}

  std::vector<std::string> read(std::string_view text);

 private:
  struct Mistake {
    toml::source_index line;
    std::string text;
  };
  // One table of the file, and which of its keys were refused.
  struct Place {
    const toml::table& table;
    std::string_view title;
    std::set<std::string_view> refused = {};
  };

  void read_root(const toml::table& root);
  void read_server(const toml::table& table);
  void check_proxies(const Place& place);
  void read_limits(const toml::table& table);
  void read_bayeux(const toml::table& table, std::string_view title, core::BayeuxTiming& timing);
  void read_realms(const toml::node& node);
  void read_realm(const toml::table& table);
  void read_realm_keys(const toml::table& table, core::Realm& realm);
  void check_realm_id(const toml::table& table, const core::RealmId& id);
  void check_relations(const Place& place, const core::RealmLimits& limits);
  void report_relation(const Place& place, const LimitRelation& relation,
                       const LimitRelation::Limits& limits);
  template <typename Target>
  void read_keys(Place& place, std::span<const ConfigKey<Target>> keys, Target& target);
  void report_unknown(const Place& place, std::span<const std::string_view> known);
  const toml::table* table_at(const toml::table& parent, std::string_view key,
                              std::string_view title);
  void report(toml::source_index line, std::string_view what) {
    mistakes_.push_back({line, fmt::format("{}:{}: {}", name_, line, what)});
  }

  const std::string& name_;
  const ConfigFlags& flags_;  // what they replace need not be right
  Config& config_;
  std::vector<Mistake> mistakes_;
  std::map<std::string, toml::source_index> realm_lines_;  // by host label
};

std::vector<std::string> FileReader::read(std::string_view text) {
  const toml::parse_result result = toml::parse(text, name_);
  if (result) {
    read_root(result.table());
  } else {
    report(result.error().source().begin.line, result.error().description());
  }
  std::ranges::stable_sort(mistakes_, {}, &Mistake::line);
  std::vector<std::string> lines;
  for (auto& mistake : mistakes_) lines.push_back(std::move(mistake.text));
  return lines;
}

void FileReader::read_root(const toml::table& root) {
  // What all realms have in common comes first: each realm starts from it.
  if (const auto* table = table_at(root, "server", "[server]")) read_server(*table);
  if (const auto* table = table_at(root, "limits", "[limits]")) read_limits(*table);
  if (const auto* table = table_at(root, "bayeux", "[bayeux]")) {
    read_bayeux(*table, "[bayeux]", config_.bayeux);
  }
  if (const auto* node = root.get("realm")) read_realms(*node);

  constexpr std::array<std::string_view, 4> kKnown{"server", "limits", "bayeux", "realm"};
  for (const auto& [key, node] : root) {
    if (std::ranges::find(kKnown, key.str()) != kKnown.end()) continue;
    const std::string shown =
        node.is_table() ? fmt::format("[{}]", key.str()) : std::string(key.str());
    report(key.source().begin.line,
           fmt::format("{}: {}", shown, explain_unknown(key.str(), kKnown)));
  }
}

void FileReader::read_server(const toml::table& table) {
  Place place{table, "[server]"};
  read_keys(place, server_keys(), config_);
  report_unknown(place, names_of(place.title));
  check_proxies(place);
}

// Nobody could connect to a listener for proxies when there is none.
void FileReader::check_proxies(const Place& place) {
  const bool has_proxies = !config_.trusted_proxies.empty() || !flags_.trusted_proxy.empty();
  const bool is_told =
      place.refused.contains("trusted_proxies") || place.refused.contains("listen");
  if (has_proxies || is_told || !flags_.listen.empty()) return;
  const auto asks = std::ranges::find_if(config_.listen, &ListenAddress::proxy_protocol);
  if (asks == config_.listen.end()) return;
  report(place.table.get("listen")->source().begin.line,
         fmt::format("{} listen: {} has proxy_protocol = true, but no proxy is trusted to connect; "
                     "write trusted_proxies = [\"10.0.0.7\"] with the addresses of yours",
                     place.title, to_string(*asks)));
}

void FileReader::read_limits(const toml::table& table) {
  Place place{table, "[limits]"};
  read_keys(place, server_limit_keys(), config_.server_limits);
  read_keys(place, realm_limit_keys(), config_.realm_limits);
  report_unknown(place, names_of(place.title));
  check_relations(place, config_.realm_limits);
}

void FileReader::read_bayeux(const toml::table& table, std::string_view title,
                             core::BayeuxTiming& timing) {
  Place place{table, title};
  read_keys(place, bayeux_keys(), timing);
  report_unknown(place, names_of(title));
}

void FileReader::read_realms(const toml::node& node) {
  const auto* realms = node.as_array();
  if (realms == nullptr || !realms->is_homogeneous(toml::node_type::table)) {
    report(node.source().begin.line, "realm: write [[realm]], in two brackets, above each realm");
    return;
  }
  for (const auto& realm : *realms) read_realm(*realm.as_table());
}

void FileReader::read_realm(const toml::table& table) {
  core::Realm realm;
  config_.apply_defaults(realm);
  read_realm_keys(table, realm);
  if (const auto* limits = table_at(table, "limits", "[realm.limits]")) {
    Place place{*limits, "[realm.limits]"};
    read_keys(place, realm_limit_keys(), realm.limits);
    report_unknown(place, names_of(place.title));
    check_relations(place, realm.limits);
  }
  if (const auto* bayeux = table_at(table, "bayeux", "[realm.bayeux]")) {
    read_bayeux(*bayeux, "[realm.bayeux]", realm.bayeux);
  }
  check_realm_id(table, realm.id);
  config_.realms.push_back(std::move(realm));
}

void FileReader::read_realm_keys(const toml::table& table, core::Realm& realm) {
  Place place{table, "[[realm]]"};
  read_keys(place, realm_keys(), realm);
  report_unknown(place, names_of(place.title));
  const auto line = table.source().begin.line;
  if (!table.contains("id")) report(line, "[[realm]] id: is missing; write id = \"myrealm\"");
  if (table.contains("key") && table.contains("keys")) {
    report(table.get("keys")->source().begin.line,
           "[[realm]] keys: stands beside key; write one of the two");
  }
  if (!table.contains("key") && !table.contains("keys")) {
    report(line,
           "[[realm]] key: is missing; write key = \"...\" with what `openssl rand -base64 32` "
           "prints");
  }
}

void FileReader::check_realm_id(const toml::table& table, const core::RealmId& id) {
  if (id.value().empty()) return;  // told already
  const auto line = table.get("id")->source().begin.line;
  const auto [first, is_new] = realm_lines_.emplace(host_label(id), line);
  if (is_new) return;
  report(line, fmt::format("[[realm]] id: '{}' is also the realm of line {}; give each its own id "
                           "(capitals do not tell them apart, since host names have none)",
                           id.value(), first->second));
}

void FileReader::check_relations(const Place& place, const core::RealmLimits& limits) {
  const LimitRelation::Limits both{config_.server_limits, limits};
  for (const auto& relation : limit_relations()) {
    const bool is_refused =
        place.refused.contains(relation.key) || place.refused.contains(relation.other);
    if (!is_refused && relation.value(both) < relation.least(both)) {
      report_relation(place, relation, both);
    }
  }
}

// Told at the key that is too small, or else at the one that makes it so, or not at all: then it
// was told where they stand.
void FileReader::report_relation(const Place& place, const LimitRelation& relation,
                                 const LimitRelation::Limits& limits) {
  const std::string value = relation.show(relation.value(limits));
  const std::string least = relation.show(relation.least(limits));
  if (const auto* node = place.table.get(relation.key)) {
    report(node->source().begin.line,
           fmt::format("{} {}: is {}; write at least {}: {}", place.title, relation.key, value,
                       least, relation.because));
  } else if (const auto* other = place.table.get(relation.other)) {
    report(other->source().begin.line,
           fmt::format("{} {}: is too much for {} = {}; write a smaller one, or {} = {}: {}",
                       place.title, relation.other, relation.key, value, relation.key, least,
                       relation.because));
  }
}

template <typename Target>
void FileReader::read_keys(Place& place, std::span<const ConfigKey<Target>> keys, Target& target) {
  for (const auto& key : keys) {
    const auto* node = place.table.get(key.name);
    if (node == nullptr) continue;
    const auto status = key.set(target, to_value(*node));
    if (status) continue;
    place.refused.insert(key.name);
    report(node->source().begin.line,
           fmt::format("{} {}: {}", place.title, key.name, status.error().detail));
  }
}

void FileReader::report_unknown(const Place& place, std::span<const std::string_view> known) {
  for (const auto& [key, node] : place.table) {
    if (std::ranges::find(known, key.str()) != known.end()) continue;
    report(key.source().begin.line,
           fmt::format("{} {}: {}", place.title, key.str(), explain_unknown(key.str(), known)));
  }
}

const toml::table* FileReader::table_at(const toml::table& parent, std::string_view key,
                                        std::string_view title) {
  const auto* node = parent.get(key);
  if (node == nullptr) return nullptr;
  if (const auto* table = node->as_table()) return table;
  report(node->source().begin.line,
         fmt::format("{}: is a section; write {} on a line of its own", key, title));
  return nullptr;
}

}  // namespace

void read_config_file(std::string_view toml, const std::string& name, const ConfigFlags& flags,
                      ConfigReading& reading) {
  auto mistakes = FileReader(name, flags, reading.config).read(toml);
  reading.mistakes.insert(reading.mistakes.end(), std::make_move_iterator(mistakes.begin()),
                          std::make_move_iterator(mistakes.end()));
}

}  // namespace fanfare::server
