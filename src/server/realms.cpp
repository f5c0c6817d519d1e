#include "server/realms.hpp"

#include <memory>
#include <utility>

#include "base/check.hpp"
#include "server/config.hpp"

namespace fanfare::server {

Realms::Realms(const std::vector<core::Realm>& realms, std::vector<std::string> domains)
    : domains_(std::move(domains)) {
  FANFARE_CHECK(!realms.empty());
  for (const core::Realm& realm : realms) {
    all_.push_back(std::make_shared<const core::Realm>(realm));
    by_id_[realm.id.value()] = all_.back();
    by_label_[host_label(realm.id)] = all_.back();
  }
}

core::RealmPtr Realms::look_up(const Table& table, std::string_view key) {
  const auto found = table.find(std::string(key));
  return found == table.end() ? nullptr : found->second;
}

core::RealmPtr Realms::of_host(std::string_view host) const {
  if (host.ends_with('.')) host.remove_suffix(1);  // the same name, written in full
  for (const std::string& domain : domains_) {
    if (host.size() <= domain.size() + 1 || !host.ends_with(domain)) continue;
    const std::string_view label = host.substr(0, host.size() - domain.size() - 1);
    const bool is_subdomain =
        host[label.size()] == '.' && label.find('.') == std::string_view::npos;
    if (is_subdomain) return look_up(by_label_, label);
  }
  return is_only_one() ? all_.front() : nullptr;
}

}  // namespace fanfare::server
