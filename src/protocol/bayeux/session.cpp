#include "protocol/bayeux/session.hpp"

#include <algorithm>
#include <utility>

#include "base/caught.hpp"
#include "base/fault.hpp"
#include "protocol/bayeux/replies.hpp"
#include "protocol/bayeux/service.hpp"

namespace fanfare::protocol::bayeux {
namespace {

// One frame or one answer carries at most this much: CometD's Java client refuses messages above
// 1 MiB, and JSON adds the wrapping.
constexpr std::size_t kBundleBytesMax = 512 * 1024;
// What waited leaves down a stream in pieces of this size: each may have to be compressed, which
// takes 2.5 ms, and the others wait meanwhile.
constexpr std::size_t kStreamBytesMax = 64 * 1024;

// With its place in the tables. 19,000 idle subscribers take 1,040 bytes each of the allocator:
// this, a WebSocket's, and a subscription's (`serve --log-level debug` says both sums once a
// second).
constexpr std::size_t kSessionBytes = 430;

// A timer wheel's two ticks, and what its loop may be busy for.
constexpr base::Duration kTimerSlack{200};

}  // namespace

Session::Session(Service& service, core::RealmShare& realm, core::AddressPtr address, SessionId id)
    : core::Holder(std::move(address), realm),
      service_(service),
      id_(id),
      last_sign_(service.clock_.now()) {
  recount();
  arm();
}

Session::~Session() = default;

void Session::recount() noexcept {
  std::size_t own = kSessionBytes + subscription_bytes_;
  std::size_t shared = 0;
  if (queue_) {
    own += queue_->own_bytes();
    shared += queue_->bytes();
  }
  if (acknowledgement_) {
    own += acknowledgement_->own_bytes();
    shared += acknowledgement_->bytes();
  }
  set_own(own);
  set_shared(shared);
}

void Session::give_way(const core::Disconnect& why) noexcept {
  service_.end(*this, why);
}

void Session::deliver(const core::PublicationPtr& publication) noexcept {
  if (pending_) {
    // A second pattern of ours that matches: the client fans out locally, one copy is enough.
    if (&pending_->last() == publication.get()) return;
    pending_ = pending_->with(publication);
  } else {
    pending_ = service_.departures_.begin_row(publication);
  }
  service_.departures_.mark(*this);
}

void Session::missed() noexcept {
  has_missed_ = true;
  service_.departures_.mark(*this);
}

void Session::flush() noexcept {
  delivery::DepartingHook::unlink();
  if (has_missed_) return service_.end(*this, core::kFailed);  // destroys this session
  try {
    send_waiting();
  } catch (...) {
    base::report_caught("a session that was being sent to");
    service_.end(*this, core::kFailed);
  }
}

void Session::send_waiting() {
  FANFARE_MAY_THROW("a session's flush");
  if (!has_waiting()) return;
  if (outlet_ != nullptr && !is_acknowledged()) {
    flush_to_outlet();
  } else if (held_.is_held()) {
    answer_held(/*with_deliveries=*/true);
  } else {
    enqueue_pending();
    if (is_over_limit()) service_.end(*this, core::kSlowConsumer);
  }
}

void Session::flush_in_turn() noexcept {
  if (!has_waiting()) return;
  if (service_.turn().has_to_stop()) return service_.departures_.mark(*this);
  flush();
}

void Session::flush_to_outlet() {
  if (!outlet_->is_congested()) {
    if (!queue_ && pending_->bytes() <= kStreamBytesMax) [[likely]] {
      // Nothing is left from before, and the shared row goes out as it is.
      const core::BundlePtr bundle = std::move(pending_);
      outlet_->send(*this, bundle);
    } else {
      if (queue_) queue_->bytes_behind = 0;
      outlet_->send(*this, take_bundle(kStreamBytesMax));
    }
    if (outlet_ == nullptr || !has_waiting()) return;
    // The next one when the others have had their turn.
    if (!outlet_->is_congested()) return service_.departures_.mark(*this);
  }
  // The peer is still reading what it got before. It may have a long queue to read, as after an
  // absence; but more must not come meanwhile than it can catch up with.
  const std::size_t came = pending_ ? pending_->bytes() : 0;
  enqueue_pending();
  queue_->bytes_behind += came;
  if (is_over_limit()) return service_.end(*this, core::kSlowConsumer);
  // Its client finds the session, with all that waits, when it comes back.
  if (queue_->bytes_behind > realm()->limits.outbox_bytes_max) outlet_->end(core::kSlowConsumer);
}

delivery::Queue& Session::queue() {
  if (!queue_) queue_ = std::make_unique<delivery::Queue>();
  return *queue_;
}

void Session::enqueue_pending() {
  if (!pending_) return;
  pending_->for_each(
      [this](const core::PublicationPtr& publication) { queue().push_back(publication); });
  pending_.reset();
  recount();
}

void Session::enqueue_in_front(std::deque<core::PublicationPtr> publications) {
  enqueue_pending();
  for (; !publications.empty(); publications.pop_back()) {
    queue().push_front(std::move(publications.back()));
  }
  recount();
}

bool Session::is_over_limit() const {
  return queue_ != nullptr && (queue_->size() > realm()->limits.queue_messages_max ||
                               queue_->bytes() > realm()->limits.queue_bytes_max);
}

core::BundlePtr Session::take_bundle() noexcept {
  return take_bundle(outlet_ != nullptr ? kStreamBytesMax : kBundleBytesMax);
}

core::BundlePtr Session::take_bundle(std::size_t bytes_max) noexcept {
  // The common case: nothing is left from before, and the shared row goes out as it is.
  if (!queue_) {
    if (!pending_ || pending_->bytes() <= kBundleBytesMax) return std::exchange(pending_, nullptr);
    const core::Bundle::Halves halves = pending_->split(kBundleBytesMax);
    pending_ = halves.rest;
    return halves.first;
  }
  enqueue_pending();
  core::BundlePtr bundle = service_.departures_.rows().take(*queue_, bytes_max);
  if (queue_->is_empty()) queue_.reset();
  recount();
  return bundle;
}

void Session::requeue(const core::BundlePtr& bundle) noexcept {
  // With acknowledgement they are kept anyway, until the client says what it has got.
  if (is_acknowledged()) return;
  std::deque<core::PublicationPtr> row;
  bundle->for_each([&row](const core::PublicationPtr& publication) { row.push_back(publication); });
  enqueue_in_front(std::move(row));
  service_.departures_.mark(*this);
}

void Session::settle() noexcept {
  if (const CallerPtr caller = std::exchange(unsettled_, nullptr)) caller->settle();
}

void Session::enable_acknowledgement() {
  acknowledgement_ = std::make_unique<Acknowledgement>();
  recount();
}

void Session::acknowledge(std::optional<std::int64_t> batch) {
  if (!acknowledgement_) return;
  if (batch) acknowledgement_->forget_up_to(*batch);
  enqueue_in_front(acknowledgement_->take_unacknowledged());
}

bool Session::has_been_silent_for(base::Duration time) const {
  return service_.clock_.now() >= last_sign_ + time;
}

void Session::touch() noexcept {
  last_sign_ = service_.clock_.now();
  if (!held_.is_held() && outlet_ == nullptr) arm();
}

void Session::bind(Outlet& outlet) noexcept {
  if (outlet_ == &outlet) return;
  if (const CallerPtr caller = unsettled_) caller->settle_goodbye();
  // The stream before may be alive and well: a connect that is held there gets its answer.
  if (outlet_ != nullptr && !held_.caller) supersede_held();
  leave_outlet();
  outlet_ = &outlet;
  outlet.sessions_.push_back(*this);
  if (has_waiting()) service_.departures_.mark(*this);
}

void Session::leave_outlet() noexcept {
  if (outlet_ == nullptr) return;
  OutletHook::unlink();
  // A connect that was held on it can no longer be answered there.
  if (held_.is_held() && !held_.caller) held_ = {};
  std::exchange(outlet_, nullptr)->give_back(*this);
  touch();
}

void Session::end_outlet(const core::Disconnect& why) noexcept {
  if (outlet_ == nullptr) return;
  OutletHook::unlink();
  std::exchange(outlet_, nullptr)->end(why);
}

void Session::hold_connect(std::string_view id, CallerPtr caller, base::Duration timeout,
                           std::unique_ptr<TimeSync> time_sync) {
  held_.id = id;
  held_.caller = std::move(caller);
  held_.time_sync = std::move(time_sync);
  // Clients give a request as long as they were told and no longer, and timers are late.
  held_.deadline = service_.clock_.now() + timeout - std::min(timeout / 10, kTimerSlack);
  if (held_.caller) held_.caller->hold(*this);
  arm();
}

void Session::supersede_held() noexcept {
  if (!held_.is_held()) return;
  if (!held_.caller) return answer_held(/*with_deliveries=*/false);
  const Held old = std::exchange(held_, {});
  old.caller->supersede();
}

void Session::release_held(const core::Disconnect& why) noexcept {
  if (!held_.is_held()) return;
  const Held held = std::exchange(held_, {});
  std::string reply;
  if (why.is_wanted) {
    append_final_connect_reply(reply, *realm(), held.id);
  } else {
    append_failed_connect_reply(reply, *realm(), id_, held.id);
  }
  if (held.caller) {
    held.caller->answer(reply, {});
  } else if (outlet_ != nullptr) {
    outlet_->reply(reply);
  }
}

void Session::caller_left() noexcept {
  held_ = {};
  touch();
}

void Session::append_connect_reply(std::string& out, std::string_view id, const TimeSync* time_sync,
                                   const core::BundlePtr& bundle) {
  std::string ack;
  if (acknowledgement_) ack = std::to_string(acknowledgement_->close_batch(bundle));
  const std::string clock =
      time_sync != nullptr ? time_sync->reply(service_.clock_.wall_now()) : "";
  bayeux::append_connect_reply(out, *realm(), id_, id, make_ext(ack, clock));
  if (acknowledgement_) recount();
}

void Session::answer_held(bool with_deliveries) noexcept {
  const Held held = std::exchange(held_, {});
  // On a stream they go by themselves, unless the client has to acknowledge them.
  const bool carries =
      with_deliveries && (is_acknowledged() || (held.caller && outlet_ == nullptr));
  const core::BundlePtr bundle = carries ? take_bundle() : nullptr;
  touch();
  std::string elements;
  // With acknowledgement the reply comes last, and numbers what stands before it.
  if (bundle && is_acknowledged()) {
    append_deliveries(elements, *bundle);
    elements += ',';
  }
  append_connect_reply(elements, held.id, held.time_sync.get(), bundle);
  if (held.caller) {
    const bool leaves_after = bundle && !is_acknowledged();
    if (leaves_after) answered_by(held.caller);
    held.caller->answer(elements, {leaves_after ? bundle : nullptr, id_});
  } else if (outlet_ != nullptr) {
    outlet_->reply(elements);
  }
}

/// How long it lives without a sign of life. A client connects as soon as it has shaken hands; one
/// that does not, and keeps its place all the same, is none.
base::Duration Session::lifetime() const {
  const core::BayeuxTiming& timing = realm()->bayeux;
  const base::Duration whole = timing.session_timeout();
  return has_connected_ ? whole : std::min(whole, base::Duration(timing.handshake_timeout));
}

void Session::arm() {
  base::TimePoint next = last_sign_ + lifetime();
  if (held_.is_held()) next = held_.deadline;
  service_.timers_.arm(*this, next);
}

void Session::expire(base::TimePoint now) {
  if (held_.is_held()) {
    if (now >= held_.deadline) answer_held(/*with_deliveries=*/true);
  } else if (outlet_ == nullptr && now >= last_sign_ + lifetime()) {
    return service_.end(*this, core::kSessionExpired);  // destroys this session
  }
  // A stream watches over its own peer; the clock starts when it goes.
  if (held_.is_held() || outlet_ == nullptr) arm();
}

void Session::on_failed() noexcept {
  service_.end(*this, core::kFailed);
}

void Session::add_subscription(core::Subscription subscription) {
  subscription_bytes_ += static_cast<std::uint32_t>(subscriptions_.add(std::move(subscription)));
  recount();
}

void Session::remove_subscription(std::string_view pattern) {
  subscription_bytes_ -= static_cast<std::uint32_t>(subscriptions_.remove(pattern));
  recount();
}

}  // namespace fanfare::protocol::bayeux
