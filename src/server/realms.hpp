#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "core/realm.hpp"

namespace fanfare::server {

/// The realms that this server holds. Immutable once the workers run; all of them read it.
class Realms {
 public:
  Realms(const std::vector<core::Realm>& realms, std::vector<std::string> domains);

  /// The realm of that id, or null.
  [[nodiscard]] core::RealmPtr find(std::string_view id) const { return look_up(by_id_, id); }
  /// The realm of a browser whose path names none: by its Host, `{realm}.{domain}`, else the only
  /// one there is. Null if the Host names a realm that is not there, or if there are several.
  [[nodiscard]] core::RealmPtr of_host(std::string_view host) const;
  /// The one to show a newcomer.
  [[nodiscard]] const core::RealmPtr& first() const { return all_.front(); }
  [[nodiscard]] bool is_only_one() const noexcept { return all_.size() == 1; }

 private:
  using Table = boost::unordered_flat_map<std::string, core::RealmPtr>;
  static core::RealmPtr look_up(const Table& table, std::string_view key);

  std::vector<core::RealmPtr> all_;  // at least one
  Table by_id_;
  Table by_label_;  // as it stands in a host name, in lower case
  std::vector<std::string> domains_;
};

}  // namespace fanfare::server
