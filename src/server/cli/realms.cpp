#include "server/cli/realms.hpp"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "store/store.hpp"

namespace fanfare::server::cli {
namespace {

using base::Errc;
using base::Error;
using base::Result;
using core::Realm;

std::optional<std::string> environment(const char* ours, const char* fanouts) {
  for (const char* name : {ours, fanouts}) {
    const char* const value = std::getenv(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return std::nullopt;
}

// Empty without a store, which is not made for a look.
Result<std::vector<Realm>> stored_realms(const std::string& data_dir) {
  if (!store::exists_in(data_dir)) return std::vector<Realm>{};
  auto store = store::open(data_dir);
  if (!store) return std::move(store.error());
  return (*store)->load();
}

void add_stored(std::vector<Realm>& realms, std::vector<Realm> stored, const Config& config) {
  std::set<std::string> labels;
  for (const auto& realm : realms) labels.insert(host_label(realm.id));
  for (auto& realm : stored) {
    if (!labels.insert(host_label(realm.id)).second) continue;  // the configuration goes first
    config.apply_defaults(realm);
    realms.push_back(std::move(realm));
  }
}

Result<Credentials> parse_credentials(const std::string& realm, const std::string& key) {
  auto id = core::parse_realm_id(realm);
  if (!id) return std::move(id.error());
  auto parsed_key = core::parse_realm_key(key);
  if (!parsed_key) return std::move(parsed_key.error());
  return Credentials{std::move(*id), std::move(*parsed_key)};
}

Result<Credentials> stored_credentials(const std::optional<std::string>& name,
                                       const std::string& data_dir) {
  auto realms = stored_realms(data_dir);
  if (!realms) return std::move(realms.error());
  if (name) {
    const auto other = [&name](const Realm& realm) { return realm.id.value() != *name; };
    realms->erase(std::remove_if(realms->begin(), realms->end(), other), realms->end());
  }
  if (realms->size() == 1) return Credentials{realms->front().id, realms->front().keys.front()};
  if (realms->size() > 1) {
    return Error{Errc::invalid, fmt::format("there are {} realms in {}; choose one with --realm",
                                            realms->size(), data_dir)};
  }
  return Error{Errc::not_found,
               fmt::format("no key is known{}; give --realm and --key, or set FANFARE_REALM and "
                           "FANFARE_KEY, or name the server's data directory with --data",
                           name ? fmt::format(" for the realm '{}'", *name) : "")};
}

}  // namespace

Result<std::vector<Realm>> known_realms(const Config& config) {
  std::vector<Realm> realms = config.realms;
  auto stored = stored_realms(config.data_dir);
  if (!stored) return std::move(stored.error());
  add_stored(realms, std::move(*stored), config);
  return realms;
}

Result<ServedRealms> realms_to_serve(const Config& config) {
  auto known = known_realms(config);
  if (!known) return std::move(known.error());
  if (!known->empty()) return ServedRealms{std::move(*known), false};

  auto store = store::open(config.data_dir);
  if (!store) return std::move(store.error());
  Realm realm = core::make_realm();
  if (auto added = (*store)->add(realm); !added) return std::move(added.error());
  config.apply_defaults(realm);
  return ServedRealms{{std::move(realm)}, true};
}

std::optional<std::string> find_realm_name(const std::optional<std::string>& realm) {
  return realm ? realm : environment("FANFARE_REALM", "FANOUT_REALM");
}

Result<Credentials> find_credentials(const std::optional<std::string>& realm,
                                     const std::optional<std::string>& key,
                                     const std::string& data_dir) {
  const auto name = find_realm_name(realm);
  auto secret = key;
  // A key of the environment belongs to the realm of the environment.
  const auto surrounding = find_realm_name(std::nullopt);
  if (!secret && (!surrounding || surrounding == name)) {
    secret = environment("FANFARE_KEY", "FANOUT_KEY");
  }
  if (name && secret) return parse_credentials(*name, *secret);
  if (secret) return Error{Errc::invalid, "a key is given, but no realm; add --realm"};
  return stored_credentials(name, data_dir);
}

}  // namespace fanfare::server::cli
