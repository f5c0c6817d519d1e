#include "core/ledger.hpp"

#include <algorithm>
#include <utility>

#include "base/random.hpp"

namespace fanfare::core {
namespace {

// Ending somebody: its peer is told, its subscriptions go.
constexpr base::Work kGiveWay = 20'000;
// Looked at for the one that holds most. An address has more holders only behind a proxy; then it
// is one of the heaviest all the same, and the next time it is another's turn.
constexpr int kLooksMax = 256;

/// Down to nine tenths, so that this comes seldom.
constexpr std::size_t low_mark(std::size_t max) {
  return max - max / 10;
}

constexpr Disconnect kOverMemory{1013, "memory_max is reached"};
constexpr Disconnect kOverRealmMemory{1013, "realm_memory_max is reached"};
constexpr Disconnect kOverAddressMemory{1013, "address_memory_max is reached"};
constexpr Disconnect kOverIncoming{1013, "incoming_bytes_max is reached"};

/// Which of two is rather to give way: who holds far more, or of about equals who has held longer.
detail::Heavy* rather(detail::Heavy* one, detail::Heavy* other) {
  if (one == nullptr || other == nullptr) return one == nullptr ? other : one;
  if (one->size_class > other->size_class + 1) return one;
  if (other->size_class > one->size_class + 1) return other;
  return one->number < other->number ? one : other;
}

std::uint32_t clamped(std::size_t bytes) {
  return static_cast<std::uint32_t>(
      std::min<std::size_t>(bytes, std::numeric_limits<std::int32_t>::max()));
}

}  // namespace

// ---- Address

Address::~Address() {
  ledger_.addresses_.erase(network_);
}

// ---- Holder

Holder::Holder(AddressPtr address, RealmShare& realm, bool counts_as_connection)
    : address_(std::move(address)),
      realm_(&realm),
      counts_as_connection_(counts_as_connection ? 1U : 0U) {
  if (counts_as_connection_) ++address_->connections;
}

Holder::~Holder() {
  leave();
}

void Holder::leave() noexcept {
  if (!address_) return;
  set_own(0);
  set_shared(0);
  if (counts_as_connection_) --address_->connections;
  address_.reset();
}

void Holder::set_own(std::size_t bytes) noexcept {
  const std::uint32_t now = clamped(bytes);
  if (now == own_ || !address_) return;
  const std::size_t more = std::size_t{now} - own_;  // or less: it wraps
  own_ = now;
  address_->own_ += more;
  realm_->own += more;
  address_->ledger_.own_ += more;
  rank();
}

void Holder::set_shared(std::size_t bytes) noexcept {
  const std::uint32_t now = clamped(bytes);
  if (now == shared_ || !address_) return;
  const std::size_t more = std::size_t{now} - shared_;  // likewise
  shared_ = now & 0x7fff'ffffU;
  realm_->shared += more;
  address_->ledger_.shared_ += more;
  rank();
}

void Holder::move_to(AddressPtr address, RealmShare& realm) noexcept {
  if (!address_ || (address == address_ && &realm == realm_)) return;
  const std::size_t own = std::exchange(own_, 0);
  const std::size_t shared = shared_;
  shared_ = 0;
  address_->own_ -= own;
  realm_->own -= own;
  realm_->shared -= shared;
  address_->ledger_.own_ -= own;
  address_->ledger_.shared_ -= shared;
  heavy_.reset();
  if (counts_as_connection_) {
    --address_->connections;
    ++address->connections;
  }
  address_ = std::move(address);
  realm_ = &realm;
  set_own(own);
  set_shared(shared);
}

/// Takes its place among those of about its weight.
void Holder::rank() noexcept {
  const std::size_t weight = this->weight();
  if (weight < kHeavyBytes) {
    heavy_.reset();
  } else {
    const int size_class = static_cast<int>(std::bit_width(weight)) - 1;
    if (!heavy_) {
      heavy_ = std::make_unique<detail::Heavy>(*this, ++address_->ledger_.heavy_count_);
      address_->heavy_.push_back(*heavy_);
    }
    if (heavy_->size_class != size_class) {
      heavy_->size_class = size_class;
      heavy_->detail::ByRealm::unlink();
      realm_->heavy[static_cast<std::size_t>(std::min(size_class, 32))].push_back(*heavy_);
    }
  }
  address_->ledger_.check(*address_, *realm_);
}

// ---- Ledger

Ledger::~Ledger() = default;

RealmShare& Ledger::realm(const RealmPtr& realm) {
  auto& slot = realms_[realm->id.value()];
  if (!slot) {
    slot = std::make_unique<RealmShare>();
    slot->realm = realm;
  }
  return *slot;
}

AddressPtr Ledger::address(std::string_view network) {
  const std::uint64_t key = std::max<std::uint64_t>(base::keyed_hash(network), 1);  // not kOwn
  auto& slot = addresses_[key];
  if (slot == nullptr) slot = new Address(*this, key);
  return slot;
}

std::size_t Ledger::publications(const RealmShare& realm) const noexcept {
  return realm.realm ? realm.realm->use->publications.used() / limits_.workers : 0;
}

std::size_t Ledger::publications() const noexcept {
  std::size_t bytes = 0;
  for (const auto& [id, realm] : realms_) bytes += publications(*realm);
  return bytes;
}

std::size_t Ledger::realm_max(const RealmShare& realm) const noexcept {
  if (!realm.realm) return limits_.memory_max;
  return realm.realm->limits.realm_memory_max / limits_.workers;
}

std::string_view Ledger::full_limit(const Address& address, const RealmShare& realm) const {
  if (address.own_ > limits_.address_memory_max) return "address_memory_max";
  if (realm.own + publications(realm) > realm_max(realm)) return "realm_memory_max";
  if (seen_bytes() > limits_.memory_max) return "memory_max";
  return {};
}

void Ledger::shed_unfinished() noexcept {
  sheds_unfinished_ = true;
  turn_.wait(*this, base::Turn::kOwn);
}

void Ledger::check(Address& address, RealmShare& realm) noexcept {
  const bool is_crowded = address.own_ > limits_.address_memory_max && !address.is_shedding_;
  if (is_crowded) {
    address.is_shedding_ = true;
    crowded_.emplace_back(&address);
  }
  const bool is_large = !realm.is_shedding && realm.own > realm_max(realm);
  if (is_large) realm.is_shedding = true;
  if (is_crowded || is_large) turn_.wait(*this, base::Turn::kOwn);
  check();
}

void Ledger::look() noexcept {
  publications_ = publications();
  for (const auto& [id, realm] : realms_) {
    realm->is_shedding =
        realm->is_shedding || realm->own + publications(*realm) > realm_max(*realm);
    if (realm->is_shedding) turn_.wait(*this, base::Turn::kOwn);
  }
  check();
}

void Ledger::check() noexcept {
  sheds_queued_ = sheds_queued_ || shared_ > limits_.queued_bytes_max;
  sheds_all_ = sheds_all_ || seen_bytes() > limits_.memory_max;
  if (sheds_queued_ || sheds_all_) turn_.wait(*this, base::Turn::kOwn);
}

void Ledger::go_on() {
  while (!turn_.has_to_stop()) {
    bool has_shed = false;
    while (!has_shed && !crowded_.empty()) {
      const AddressPtr address = crowded_.back();
      has_shed = shed_address(*address);
      if (has_shed) break;
      address->is_shedding_ = false;
      std::erase(crowded_, address);
    }
    for (const auto& [id, realm] : realms_) has_shed = has_shed || shed_realm(*realm);
    has_shed = has_shed || shed_queued() || shed_all() || shed_one_unfinished();
    if (!has_shed) return;
  }
  turn_.wait(*this, base::Turn::kOwn);
}

bool Ledger::shed_address(Address& address) {
  if (address.own_ <= low_mark(limits_.address_memory_max)) return false;
  return make_give_way(heaviest(address), kOverAddressMemory);
}

bool Ledger::shed_realm(RealmShare& realm) {
  if (!realm.is_shedding) return false;
  const bool is_over = realm.own + publications(realm) > low_mark(realm_max(realm));
  realm.is_shedding = is_over && make_give_way(heaviest(realm), kOverRealmMemory);
  return realm.is_shedding;
}

bool Ledger::shed_queued() {
  if (!sheds_queued_) return false;
  RealmShare& realm = largest([](const RealmShare& one) { return one.shared; });
  const bool is_over = shared_ > low_mark(limits_.queued_bytes_max);
  return sheds_queued_ = is_over && make_give_way(heaviest(realm), kSlowConsumer);
}

bool Ledger::shed_all() {
  if (!sheds_all_) return false;
  RealmShare& realm =
      largest([this](const RealmShare& one) { return one.own + publications(one); });
  publications_ = publications();
  const bool is_over = seen_bytes() > low_mark(limits_.memory_max);
  return sheds_all_ = is_over && make_give_way(heaviest(realm), kOverMemory);
}

bool Ledger::shed_one_unfinished() {
  if (!std::exchange(sheds_unfinished_, false)) return false;
  const auto has_unfinished = [](const detail::Heavy& heavy) {
    return heavy.holder.unfinished_bytes() > 0;
  };
  detail::Heavy* found = heaviest(no_realm_, has_unfinished);
  for (const auto& [id, realm] : realms_) found = rather(found, heaviest(*realm, has_unfinished));
  return found != nullptr && make_give_way(&found->holder, kOverIncoming);
}

template <typename Weight>
RealmShare& Ledger::largest(Weight weight) {
  RealmShare* found = &no_realm_;
  for (const auto& [id, realm] : realms_) {
    if (weight(*realm) > weight(*found)) found = realm.get();
  }
  return *found;
}

template <typename Fits>
detail::Heavy* Ledger::heaviest(RealmShare& realm, Fits fits) noexcept {
  detail::Heavy* found = nullptr;
  for (auto row = realm.heavy.rbegin(); row != realm.heavy.rend(); ++row) {
    const auto first = std::ranges::find_if(*row, fits);
    if (first == row->end()) continue;
    // Those of the next row may be its equals, and have held it longer.
    if (found != nullptr) return rather(found, &*first);
    found = &*first;
  }
  return found;
}

Holder* Ledger::heaviest(RealmShare& realm) noexcept {
  detail::Heavy* const found = heaviest(realm, [](const detail::Heavy&) { return true; });
  return found == nullptr ? nullptr : &found->holder;
}

Holder* Ledger::heaviest(Address& address) noexcept {
  detail::Heavy* found = nullptr;
  auto left = std::min<std::size_t>(kLooksMax, address.heavy_.size());
  for (; left > 0; --left) {
    detail::Heavy& next = address.heavy_.front();
    address.heavy_.splice(address.heavy_.end(), address.heavy_, address.heavy_.begin());
    found = rather(found, &next);
  }
  return found == nullptr ? nullptr : &found->holder;
}

bool Ledger::make_give_way(Holder* holder, const Disconnect& why) {
  if (holder == nullptr) return false;
  turn_.spend(kGiveWay);
  if (told_) told_(why.reason);
  holder->give_way(why);
  return true;
}

}  // namespace fanfare::core
