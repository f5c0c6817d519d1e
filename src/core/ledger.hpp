#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/intrusive/list.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include "base/task.hpp"
#include "base/turn.hpp"
#include "core/disconnect.hpp"
#include "core/realm.hpp"

namespace fanfare::core {

class Holder;
class Ledger;

/// One worker's part of what may be kept in memory.
struct LedgerLimits {
  static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

  /// All that peers make this worker keep, and each thing counted once.
  std::size_t memory_max = kNone;
  /// The same of one realm is in its own limits; this is how many workers share those.
  std::size_t workers = 1;
  /// The same of one address.
  std::size_t address_memory_max = kNone;
  /// What waits for peers, counted with each of them.
  std::size_t queued_bytes_max = kNone;
};

namespace detail {

using ByRealm =
    boost::intrusive::list_base_hook<boost::intrusive::tag<struct HeavyByRealm>,
                                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
using ByAddress =
    boost::intrusive::list_base_hook<boost::intrusive::tag<struct HeavyByAddress>,
                                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// What a holder has only while it holds so much that it may have to give way.
struct Heavy : ByRealm, ByAddress {
  Heavy(Holder& its_holder, std::uint64_t its_number) : holder(its_holder), number(its_number) {}
  Holder& holder;
  /// Who has become heavy later has a higher one.
  std::uint64_t number;
  int size_class = 0;
};

using HeavyInRealm = boost::intrusive::list<Heavy, boost::intrusive::base_hook<ByRealm>,
                                            boost::intrusive::constant_time_size<false>>;
using HeavyInAddress = boost::intrusive::list<Heavy, boost::intrusive::base_hook<ByAddress>,
                                              boost::intrusive::constant_time_size<false>>;

}  // namespace detail

/// What one realm has on one worker.
struct RealmShare {
  /// Null for connections that have not named one yet.
  RealmPtr realm;
  std::size_t own = 0;
  std::size_t shared = 0;

  // By the binary digits of what they hold, 2 KiB and more; the first of each has held it longest.
  std::array<detail::HeavyInRealm, 33> heavy;
  bool is_shedding = false;
};

/// What all peers of one address (an IPv6 one: of one /64 network) have on one worker.
class Address : public boost::intrusive_ref_counter<Address, boost::thread_unsafe_counter> {
 public:
  Address(Ledger& ledger, std::uint64_t network) : ledger_(ledger), network_(network) {}
  Address(const Address&) = delete;
  Address& operator=(const Address&) = delete;
  ~Address();

  [[nodiscard]] Ledger& ledger() const noexcept { return ledger_; }
  /// A keyed hash of its text; also its lane in the line of base::Turn.
  [[nodiscard]] std::uint64_t network() const noexcept { return network_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return own_; }

  /// Sockets that are open.
  std::size_t connections = 0;

 private:
  friend class Holder;
  friend class Ledger;
  Ledger& ledger_;
  std::uint64_t network_;
  std::size_t own_ = 0;
  bool is_shedding_ = false;
  detail::HeavyInAddress heavy_;
};

using AddressPtr = boost::intrusive_ptr<Address>;

/// Somebody who keeps memory for a peer: a connection, a session. Says how much; when there is too
/// much of it, who holds most (and among about equals, longest) is told to give way.
///
/// Cost: 40 bytes; 80 more while it holds more than kHeavyBytes.
class Holder {
 public:
  /// Below this a holder is not worth the search for it: a session or a connection with nothing
  /// particular has some 600 bytes.
  static constexpr std::size_t kHeavyBytes = 2048;

  /// `counts_as_connection`: it is a socket of that address, until it leaves.
  Holder(AddressPtr address, RealmShare& realm, bool counts_as_connection = false);
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;

  [[nodiscard]] Address& address() const noexcept { return *address_; }
  [[nodiscard]] RealmShare& realm_share() const noexcept { return *realm_; }
  /// The realm, as it is configured now.
  [[nodiscard]] const RealmPtr& realm() const noexcept { return realm_->realm; }
  [[nodiscard]] std::size_t own_bytes() const noexcept { return own_; }
  [[nodiscard]] std::size_t shared_bytes() const noexcept { return shared_; }
  [[nodiscard]] std::size_t weight() const noexcept { return std::size_t{own_} + shared_; }

  /// What this holder alone keeps.
  void set_own(std::size_t bytes) noexcept;
  void add_own(std::ptrdiff_t bytes) noexcept {
    set_own(own_ + static_cast<std::size_t>(bytes));  // or less: it wraps
  }
  /// What it keeps together with others (publications, rows of them), as if it were alone.
  void set_shared(std::size_t bytes) noexcept;

  /// It has gone, though somebody still refers to it: it keeps nothing any more.
  void leave() noexcept;

  /// It works for another visitor, or in another realm, from now on.
  void move_to(AddressPtr address, RealmShare& realm) noexcept;

 protected:
  virtual ~Holder();

 private:
  friend class Ledger;
  /// Lets go of what it holds, and tells its peer why. May destroy it.
  virtual void give_way(const Disconnect& why) noexcept = 0;
  /// Of what it keeps: what has come in part and may never end.
  [[nodiscard]] virtual std::size_t unfinished_bytes() const noexcept { return 0; }

  void enter(std::size_t own, std::size_t shared) noexcept;
  void rank() noexcept;

  AddressPtr address_;  // null when it has left
  RealmShare* realm_;
  std::unique_ptr<detail::Heavy> heavy_;
  // Nothing of one peer is near 2 GiB: the largest limits of the configuration are 1 GiB.
  std::uint32_t own_ = 0;
  std::uint32_t shared_ : 31 = 0;
  std::uint32_t counts_as_connection_ : 1;
};

/// Who keeps how much memory on one worker: for each address, each realm, and in all. Over a limit
/// it makes those give way who hold most, at the end of the turn, and some more than necessary, so
/// that it is seldom at the limit: not the newcomer, and not other addresses or realms than the one
/// whose share is used up.
///
/// Threads: one worker's. Ownership: owns the shares of realms; addresses go with their last
/// holder. Cost: a change is some additions and comparisons; finding who is to give way costs a
/// look at each realm.
class Ledger final : private base::Turn::Waiter {
 public:
  Ledger(base::Turn& turn, const LedgerLimits& limits) : turn_(turn), limits_(limits) {}
  ~Ledger() override;

  RealmShare& realm(const RealmPtr& realm);
  /// The share of connections that have not named a realm.
  RealmShare& no_realm() noexcept { return no_realm_; }
  /// `network` is net::Socket::peer_network(), or whatever else names who is behind a connection.
  AddressPtr address(std::string_view network);

  /// Where those count who keep something for many at once (rows of publications, files).
  [[nodiscard]] std::size_t& common_bytes() noexcept { return common_; }

  /// What is kept, in all.
  [[nodiscard]] std::size_t bytes() const noexcept { return own_ + common_ + publications(); }
  /// The same as of the last look().
  [[nodiscard]] std::size_t seen_bytes() const noexcept { return own_ + common_ + publications_; }
  /// What waits for peers, counted with each of them.
  [[nodiscard]] std::size_t queued_bytes() const noexcept { return shared_; }

  /// To be asked before something new is made for a peer: the limit that forbids it, or nothing.
  /// Only when nobody holds enough to give way is a newcomer sent away.
  [[nodiscard]] std::string_view full_limit(const Address& address, const RealmShare& realm) const;

  /// `told(limit)` is called for each who is made to give way.
  void on_give_way(base::UniqueFunction<void(std::string_view)> told) { told_ = std::move(told); }

  /// More has come in part than may: who holds most of that gives way.
  void shed_unfinished() noexcept;

  /// Looks at the publications that are kept, which come and go on all threads: once a second, so
  /// that a change does not cost a look at each realm.
  void look() noexcept;

 private:
  friend class Address;
  friend class Holder;

  void go_on() override;
  void on_failed() noexcept override { turn_.wait(*this, base::Turn::kOwn); }  // looks again
  void check() noexcept;
  void check(Address& address, RealmShare& realm) noexcept;
  bool shed_address(Address& address);
  bool shed_realm(RealmShare& realm);
  bool shed_queued();
  bool shed_all();
  bool shed_one_unfinished();
  template <typename Weight>
  RealmShare& largest(Weight weight);
  template <typename Fits>
  static detail::Heavy* heaviest(RealmShare& realm, Fits fits) noexcept;
  static Holder* heaviest(RealmShare& realm) noexcept;
  static Holder* heaviest(Address& address) noexcept;
  bool make_give_way(Holder* holder, const Disconnect& why);
  [[nodiscard]] std::size_t realm_max(const RealmShare& realm) const noexcept;
  [[nodiscard]] std::size_t publications(const RealmShare& realm) const noexcept;
  [[nodiscard]] std::size_t publications() const noexcept;

  base::Turn& turn_;
  LedgerLimits limits_;
  base::UniqueFunction<void(std::string_view)> told_;
  std::size_t own_ = 0;
  std::size_t shared_ = 0;
  std::size_t common_ = 0;
  std::size_t publications_ = 0;   // as of the last look()
  std::uint64_t heavy_count_ = 0;  // how many there have been
  bool sheds_queued_ = false;
  bool sheds_all_ = false;
  bool sheds_unfinished_ = false;
  std::vector<AddressPtr> crowded_;  // addresses over their share
  RealmShare no_realm_;
  boost::unordered_flat_map<std::string, std::unique_ptr<RealmShare>> realms_;  // by realm id
  boost::unordered_flat_map<std::uint64_t, Address*> addresses_;                // by network
};

}  // namespace fanfare::core
