#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/intrusive/list.hpp>

#include "base/clock.hpp"
#include "base/timer_wheel.hpp"
#include "core/bundle.hpp"
#include "core/disconnect.hpp"
#include "core/ledger.hpp"
#include "core/realm.hpp"
#include "delivery/departures.hpp"
#include "delivery/queue.hpp"
#include "protocol/bayeux/extensions.hpp"
#include "protocol/bayeux/peer.hpp"
#include "protocol/bayeux/session_id.hpp"
#include "protocol/bayeux/subscriptions.hpp"

namespace fanfare::protocol::bayeux {

class Service;

/// Lets a session stand in the list of those of its address that have never connected.
using FreshHook =
    boost::intrusive::list_base_hook<boost::intrusive::tag<struct FreshHookTag>,
                                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// One Bayeux client. It outlives its sockets and moves between them: what is delivered goes to its
/// outlet (the newest stream), else to its held connect, else it waits here.
///
/// There is one row of publications per session, and one writer, so nothing is ever reordered:
/// first `queue_` (from earlier turns), then `pending_` (from this one).
///
/// Threads: one worker's, for life. Cost: about 400 bytes with one subscription.
class Session final : public delivery::Departing,
                      public base::Timer,
                      public OutletMember,
                      public FreshHook,
                      public core::Holder {
 public:
  Session(Service& service, core::RealmShare& realm, core::AddressPtr address, SessionId id);
  ~Session() override;

  [[nodiscard]] const SessionId& id() const noexcept { return id_; }
  [[nodiscard]] bool has_been_silent_for(base::Duration time) const;

  void deliver(const core::PublicationPtr& publication) noexcept override;
  void missed() noexcept override;
  /// Sends one bundle of what there is, if there is a way to send it; if there is more, it will
  /// depart again. What throws ends the session, as does what it has missed: its client is told to
  /// begin anew.
  void flush() noexcept;

  /// The same if this turn still allows it, else in the next.
  void flush_in_turn() noexcept;

  /// A message of the session came.
  void touch() noexcept;
  /// The newest stream takes the deliveries from now on.
  void bind(Outlet& outlet) noexcept;
  /// The outlet gives back what it has not written, and the session waits for its client.
  void leave_outlet() noexcept;
  [[nodiscard]] bool has_outlet() const noexcept { return outlet_ != nullptr; }
  [[nodiscard]] bool is_bound_to(const Outlet& outlet) const noexcept { return outlet_ == &outlet; }
  /// The session ends; its outlet is told.
  void end_outlet(const core::Disconnect& why) noexcept;

  /// Holds a /meta/connect until there is something to send or `timeout` has passed. `caller` ends
  /// with its answer; null for a connect on the session's outlet.
  void hold_connect(std::string_view id, CallerPtr caller, base::Duration timeout,
                    std::unique_ptr<TimeSync> time_sync);
  [[nodiscard]] bool holds_connect() const noexcept { return held_.is_held(); }
  /// Answers the connect that is held, if any, because a newer one has come.
  void supersede_held() noexcept;
  /// Answers the connect that is held, if any, before its time, with what waits.
  void answer_early() noexcept {
    if (held_.is_held()) answer_held(/*with_deliveries=*/true);
  }
  /// Answers the connect that is held because the session ends: the client is to begin anew, or,
  /// if it wanted that, to stop.
  void release_held(const core::Disconnect& why) noexcept;
  /// The peer of the held request has gone; nothing was sent to it.
  void caller_left() noexcept;
  /// Puts publications back that a peer cannot have got.
  void requeue(const core::BundlePtr& bundle) noexcept;
  /// What waits, as one bundle for one answer; null if nothing does. May leave some for the next.
  [[nodiscard]] core::BundlePtr take_bundle() noexcept;
  [[nodiscard]] core::BundlePtr take_bundle(std::size_t bytes_max) noexcept;
  [[nodiscard]] bool has_waiting() const noexcept {
    return pending_ != nullptr || queue_ != nullptr;
  }

  /// Appends the reply to a connect that is answered, with its extensions; `bundle` leaves with it.
  void append_connect_reply(std::string& out, std::string_view id, const TimeSync* time_sync,
                            const core::BundlePtr& bundle);

  /// From now on deliveries leave only with connect replies, and are kept until acknowledged.
  void enable_acknowledgement();
  [[nodiscard]] bool is_acknowledged() const noexcept { return acknowledgement_ != nullptr; }
  /// A connect has come: it acknowledges what it does, and the rest is sent again.
  void acknowledge(std::optional<std::int64_t> batch);

  /// `caller` has taken deliveries along in its answer; they are settled at the next connect.
  void answered_by(CallerPtr caller) { unsettled_ = std::move(caller); }
  /// Settles them. A client connects again only when it has the answer to its last connect, or has
  /// given that up.
  void settle() noexcept;

  /// Whether more waits than the realm allows.
  [[nodiscard]] bool is_over_limit() const;

  /// Whether this is the session's first connect; true once.
  bool is_first_connect() noexcept {
    FreshHook::unlink();
    return !std::exchange(has_connected_, true);
  }

  [[nodiscard]] bool is_subscribed_to(std::string_view pattern) const {
    return subscriptions_.contains(pattern);
  }
  void add_subscription(core::Subscription subscription);
  void remove_subscription(std::string_view pattern);
  [[nodiscard]] std::size_t subscription_count() const noexcept { return subscriptions_.size(); }

 private:
  friend class Outlet;

  struct Held {
    std::string id;  // the JSON token to echo
    CallerPtr caller;
    std::unique_ptr<TimeSync> time_sync;
    base::TimePoint deadline = kNone;
    static constexpr base::TimePoint kNone = base::TimePoint::min();
    [[nodiscard]] bool is_held() const noexcept { return deadline != kNone; }
  };

  void depart() noexcept override { flush(); }
  void give_way(const core::Disconnect& why) noexcept override;
  void expire(base::TimePoint now) override;
  void on_failed() noexcept override;
  [[nodiscard]] base::Duration lifetime() const;
  void arm();
  void send_waiting();
  void flush_to_outlet();
  /// Lets the held connect go, with what waits if that is a way to send it.
  void answer_held(bool with_deliveries) noexcept;
  delivery::Queue& queue();
  /// Tells the ledger what is kept here, after it has changed.
  void recount() noexcept;
  void enqueue_pending();
  void enqueue_in_front(std::deque<core::PublicationPtr> publications);

  // What a delivery touches stands together, behind the hooks: most of its cost are cache misses.
  core::BundlePtr pending_;
  Service& service_;
  Outlet* outlet_ = nullptr;
  std::unique_ptr<delivery::Queue> queue_;  // never empty
  std::unique_ptr<Acknowledgement> acknowledgement_;
  SessionId id_;
  bool has_connected_ = false;
  std::uint32_t subscription_bytes_ = 0;
  bool has_missed_ = false;
  Held held_;
  CallerPtr unsettled_;
  base::TimePoint last_sign_;  // of life
  Subscriptions subscriptions_;
};

}  // namespace fanfare::protocol::bayeux
