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
  [[nodiscard]] core::RealmPtr find(std::string_view id) const;
  /// The realm of a browser whose path names none: by its Host, `{realm}.{domain}`, else the only
  /// one there is. Null if the Host names a realm that is not there, or if there are several.
  [[nodiscard]] core::RealmPtr of_host(std::string_view host) const;
  /// The one to show a newcomer.
  [[nodiscard]] const core::RealmPtr& first() const { return all_.front(); }
  [[nodiscard]] bool is_only_one() const noexcept { return all_.size() == 1; }

 private:
  std::vector<core::RealmPtr> all_;  // at least one
  boost::unordered_flat_map<std::string, core::RealmPtr> by_id_;
  std::vector<std::string> domains_;
};

}  // namespace fanfare::server
