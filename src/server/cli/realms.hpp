#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "core/realm.hpp"
#include "server/config.hpp"

namespace fanfare::server::cli {

/// All realms that there are: the static ones, and those of the store under other ids. May be none.
/// Nothing is made or changed for the look.
base::Result<std::vector<core::Realm>> known_realms(const Config& config);

/// At least one.
struct ServedRealms {
  std::vector<core::Realm> realms;
  /// Whether there was none, and this one has just been made.
  bool is_new = false;
};

/// All realms that there are. When there is none, makes one and keeps it in the store.
base::Result<ServedRealms> realms_to_serve(const Config& config);

/// What `fanfare publish` signs with.
struct Credentials {
  core::RealmId realm;
  core::RealmKey key;
};

/// From the flags; else from FANFARE_REALM and FANFARE_KEY; else from FANOUT_REALM and FANOUT_KEY,
/// which sites that came from Fanout have set; else from the store in `data_dir`, when it holds
/// exactly one realm, or the one that is named.
base::Result<Credentials> find_credentials(const std::optional<std::string>& realm,
                                           const std::optional<std::string>& key,
                                           const std::string& data_dir);

/// The realm that the flag, or else the environment, names.
std::optional<std::string> find_realm_name(const std::optional<std::string>& realm);

}  // namespace fanfare::server::cli
