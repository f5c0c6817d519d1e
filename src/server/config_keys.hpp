#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "core/limits.hpp"
#include "core/realm.hpp"
#include "server/config.hpp"

namespace fanfare::server {

/// A table inside of a value: `{ address = "0.0.0.0:8400", proxy_protocol = true }`.
using ConfigScalar = std::variant<std::monostate, bool, std::int64_t, std::string>;
using ConfigTable = std::map<std::string, ConfigScalar>;
/// One table, or an array in which tables stand beside texts.
using ConfigItems = std::vector<std::variant<std::string, ConfigTable>>;

/// What stands right of a `=`, free of the TOML library. monostate is for what no key takes: a
/// date, a fraction, an array of numbers.
using ConfigValue = std::variant<std::monostate, bool, std::int64_t, std::string,
                                 std::vector<std::string>, ConfigItems>;

/// One key of the configuration: the reader, the flags and the reference all work from this.
template <typename Target>
struct ConfigKey {
  std::string_view name;
  /// The sentences of the reference.
  std::string about;
  /// Takes a value, or says what is wrong with it and what to write; the target is then as before.
  std::function<base::Status(Target&, const ConfigValue&)> set;
  /// The value as TOML.
  std::function<std::string(const Target&)> show;
  /// Stands in the reference, commented out, where there is no default that is the same everywhere.
  std::string_view example = {};
};

std::span<const ConfigKey<Config>> server_keys();
std::span<const ConfigKey<ServerLimits>> server_limit_keys();
std::span<const ConfigKey<core::RealmLimits>> realm_limit_keys();
std::span<const ConfigKey<core::BayeuxTiming>> bayeux_keys();
std::span<const ConfigKey<core::Realm>> realm_keys();

/// Where limits lean on each other: `value` must not be below `least`.
struct LimitRelation {
  struct Limits {
    const ServerLimits& server;
    const core::RealmLimits& realm;
  };

  std::string_view key;
  /// The key that `least` is made of.
  std::string_view other;
  std::uint64_t (*value)(const Limits&);
  std::uint64_t (*least)(const Limits&);
  /// As TOML.
  std::string (*show)(std::uint64_t);
  std::string_view because;
};

std::span<const LimitRelation> limit_relations();

/// Host names have no capitals: ASCII letters in lower case, all else as it is.
std::string to_lower(std::string_view text);

/// The word that takes the fewest typing mistakes to become `word`. `words` is not empty.
std::string_view nearest_word(std::string_view word, std::span<const std::string_view> words);

}  // namespace fanfare::server
