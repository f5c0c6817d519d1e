#include "server/realms.hpp"

#include <memory>
#include <utility>

#include "base/check.hpp"

namespace fanfare::server {

Realms::Realms(const std::vector<core::Realm>& realms, std::vector<std::string> domains)
    : domains_(std::move(domains)) {
  FANFARE_CHECK(!realms.empty());
  for (const core::Realm& realm : realms) {
    all_.push_back(std::make_shared<const core::Realm>(realm));
    by_id_[realm.id.value()] = all_.back();
  }
}

core::RealmPtr Realms::find(std::string_view id) const {
  const auto found = by_id_.find(std::string(id));
  return found == by_id_.end() ? nullptr : found->second;
}

core::RealmPtr Realms::of_host(std::string_view host) const {
  for (const std::string& domain : domains_) {
    if (host.size() <= domain.size() + 1 || !host.ends_with(domain)) continue;
    const std::string_view label = host.substr(0, host.size() - domain.size() - 1);
    const bool is_subdomain =
        host[label.size()] == '.' && label.find('.') == std::string_view::npos;
    if (is_subdomain) return find(label);
  }
  return is_only_one() ? all_.front() : nullptr;
}

}  // namespace fanfare::server
