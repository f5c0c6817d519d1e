#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_budget.hpp"
#include "base/result.hpp"
#include "base/strong_id.hpp"
#include "core/limits.hpp"

namespace fanfare::core {

using RealmId = base::StrongId<struct RealmIdTag, std::string>;

/// Which names a channel may have. Faye's own alphabet, or that and the characters that CometD and
/// Salesforce users have in theirs.
enum class ChannelAlphabet { strict, extended };

/// Which server the awkward answers follow where Faye's and CometD's contradict each other.
enum class Dialect { faye, cometd };

/// A key that signs a realm's tokens: raw bytes, and the base64 text as the operator wrote it
/// (which is the password in HTTP Basic).
struct RealmKey {
  std::string bytes;
  std::string text;
};

/// Reads standard base64, with or without its padding; refuses an empty key. Any other length
/// works.
base::Result<RealmKey> parse_realm_key(std::string_view base64);

/// Letters, digits, '-' and '_', at most 63 of them: a realm id stands in paths, tokens and host
/// names, whose labels are no longer than that (RFC 1035 section 2.3.4).
base::Result<RealmId> parse_realm_id(std::string_view text);

/// What a realm's publications take, on all workers together.
struct RealmUse {
  /// Bytes of those that somebody keeps, each counted once.
  base::ByteBudget publications;
  /// Bytes of those that wait to come in (Intake).
  base::ByteBudget waiting;
};

/// One tenant, as configured. Immutable once made; workers share it.
struct Realm {
  RealmId id;
  /// One or two; the second one is there while keys are exchanged.
  std::vector<RealmKey> keys;
  ChannelAlphabet channel_alphabet = ChannelAlphabet::strict;
  Dialect dialect = Dialect::faye;
  /// Whether browsers may publish over Bayeux. Fanout's clients only listened.
  bool client_publish = false;
  /// Whether browsers may subscribe to patterns. Without it, who wants to listen has to know a
  /// name.
  bool pattern_subscribe = true;
  /// Whether anyone may publish, without credentials, on channels that start with '!' or '+'.
  bool anonymous_publish = false;
  /// Origins of pages that may connect ("https://example.com"), compared as they are. Empty: all.
  std::vector<std::string> allowed_origins;
  /// Whether requests that name no origin may: pages of the same origin, JSON-P, and clients that
  /// are no browsers.
  bool allow_missing_origin = true;
  RealmLimits limits;
  BayeuxTiming bayeux;
  /// Counts for this realm and all copies of it; changes while the rest does not.
  std::shared_ptr<RealmUse> use = std::make_shared<RealmUse>();

  [[nodiscard]] bool allows_origin(std::optional<std::string_view> origin) const;
};

using RealmPtr = std::shared_ptr<const Realm>;

/// Where realms are kept from one start to the next. Implemented by store/.
class RealmStore {
 public:
  virtual ~RealmStore() = default;
  [[nodiscard]] virtual base::Result<std::vector<Realm>> load() = 0;
  /// Adds a realm; `conflict` when the id is taken.
  virtual base::Status add(const Realm& realm) = 0;
};

/// A new realm with a random id (8 hex characters) and key (32 bytes: PyJWT warns below that).
Realm make_realm();

}  // namespace fanfare::core
