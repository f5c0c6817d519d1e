#include "protocol/bayeux/session.hpp"

#include <algorithm>
#include <utility>

#include "protocol/bayeux/replies.hpp"
#include "protocol/bayeux/service.hpp"

namespace fanfare::protocol::bayeux {
namespace {

// One frame or one answer carries at most this much: CometD's Java client refuses messages above
// 1 MiB, and JSON adds the wrapping.
constexpr std::size_t kBundleBytesMax = 512 * 1024;

// A timer wheel's two ticks, and what its loop may be busy for.
constexpr base::Duration kTimerSlack{200};

}  // namespace

Session::Session(Service& service, core::RealmPtr realm, SessionId id, std::uint64_t network)
    : service_(service),
      realm_(std::move(realm)),
      id_(id),
      network_(network),
      last_sign_(service.clock_.now()) {
  arm();
}

Session::~Session() = default;

void Session::deliver(const core::PublicationPtr& publication) noexcept {
  if (pending_) {
    // A second pattern of ours that matches: the client fans out locally, one copy is enough.
    if (&pending_->last() == publication.get()) return;
    pending_ = pending_->with(publication);
  } else {
    pending_ = service_.bundles_.bundle_of(publication);
  }
  if (!DirtyHook::is_linked()) service_.mark_dirty(*this);
}

void Session::flush() {
  DirtyHook::unlink();
  if (!has_waiting()) return;
  if (outlet_ != nullptr && !is_acknowledged()) {
    flush_to_outlet();
  } else if (held_.is_held) {
    answer_held(/*with_deliveries=*/true);
  } else {
    enqueue_pending();
    if (is_over_limit()) service_.end(*this, core::kSlowConsumer);
  }
}

void Session::flush_to_outlet() {
  while (outlet_ != nullptr && has_waiting() && !outlet_->is_congested()) {
    bytes_behind_ = 0;
    outlet_->send(*this, take_bundle());
  }
  if (outlet_ == nullptr || !has_waiting()) return;
  // The peer is still reading what it got before. It may have a long queue to read, as after an
  // absence; but more must not come meanwhile than it can catch up with.
  if (pending_) bytes_behind_ += pending_->bytes();
  enqueue_pending();
  if (is_over_limit()) return service_.end(*this, core::kSlowConsumer);
  // Its client finds the session, with all that waits, when it comes back.
  if (bytes_behind_ > realm_->limits.outbox_bytes_max) outlet_->end(core::kSlowConsumer);
}

Queue& Session::queue() {
  if (!queue_) queue_ = std::make_unique<Queue>(service_.queued_bytes_);
  return *queue_;
}

void Session::enqueue_pending() {
  if (!pending_) return;
  pending_->for_each(
      [this](const core::PublicationPtr& publication) { queue().push_back(publication); });
  pending_.reset();
}

void Session::enqueue_in_front(std::deque<core::PublicationPtr> publications) {
  enqueue_pending();
  for (; !publications.empty(); publications.pop_back()) {
    queue().push_front(std::move(publications.back()));
  }
}

bool Session::is_over_limit() const {
  return queue_ != nullptr && (queue_->size() > realm_->limits.queue_messages_max ||
                               queue_->bytes() > realm_->limits.queue_bytes_max);
}

core::BundlePtr Session::take_bundle() {
  // The common case: nothing is left from before, and the shared row goes out as it is.
  if (!queue_) {
    if (!pending_ || pending_->bytes() <= kBundleBytesMax) return std::exchange(pending_, nullptr);
    const core::Bundle::Halves halves = pending_->split(kBundleBytesMax);
    pending_ = halves.rest;
    return halves.first;
  }
  enqueue_pending();
  core::BundlePtr bundle;
  while (!queue_->is_empty()) {
    const core::PublicationPtr& next = queue_->front();
    if (bundle && bundle->bytes() + next->data.size() > kBundleBytesMax) return bundle;
    bundle = bundle ? bundle->with(next) : core::Bundle::of(next);
    queue_->pop_front();
  }
  queue_.reset();
  return bundle;
}

void Session::requeue(const core::BundlePtr& bundle) {
  // With acknowledgement they are kept anyway, until the client says what it has got.
  if (is_acknowledged()) return;
  std::deque<core::PublicationPtr> row;
  bundle->for_each([&row](const core::PublicationPtr& publication) { row.push_back(publication); });
  enqueue_in_front(std::move(row));
  if (!DirtyHook::is_linked()) service_.mark_dirty(*this);
}

void Session::settle() {
  if (const CallerPtr caller = std::exchange(unsettled_, nullptr)) caller->settle();
}

void Session::enable_acknowledgement() {
  acknowledgement_ = std::make_unique<Acknowledgement>();
}

void Session::acknowledge(std::optional<std::int64_t> batch) {
  if (!acknowledgement_) return;
  if (batch) acknowledgement_->forget_up_to(*batch);
  enqueue_in_front(acknowledgement_->take_unacknowledged());
}

void Session::touch() {
  last_sign_ = service_.clock_.now();
  if (!held_.is_held && outlet_ == nullptr) arm();
}

void Session::bind(Outlet& outlet) {
  if (outlet_ == &outlet) return;
  // The stream before may be alive and well: a connect that is held there gets its answer.
  if (outlet_ != nullptr && !held_.caller) supersede_held();
  leave_outlet();
  outlet_ = &outlet;
  outlet.sessions_.push_back(*this);
  if (has_waiting() && !DirtyHook::is_linked()) service_.mark_dirty(*this);
}

void Session::leave_outlet() {
  if (outlet_ == nullptr) return;
  OutletHook::unlink();
  // A connect that was held on it can no longer be answered there.
  if (held_.is_held && !held_.caller) held_ = {};
  std::exchange(outlet_, nullptr)->give_back(*this);
  touch();
}

void Session::end_outlet(const core::Disconnect& why) {
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
  held_.is_held = true;
  if (held_.caller) held_.caller->hold(*this);
  arm();
}

void Session::supersede_held() {
  if (!held_.is_held) return;
  if (!held_.caller) return answer_held(/*with_deliveries=*/false);
  const Held old = std::exchange(held_, {});
  old.caller->supersede();
}

void Session::release_held(const core::Disconnect& why) {
  if (!held_.is_held) return;
  const Held held = std::exchange(held_, {});
  std::string reply;
  if (why.is_wanted) {
    append_final_connect_reply(reply, *realm_, held.id);
  } else {
    append_failed_connect_reply(reply, *realm_, id_, held.id);
  }
  if (held.caller) {
    held.caller->answer(reply, {});
  } else if (outlet_ != nullptr) {
    outlet_->reply(reply);
  }
}

void Session::caller_left() {
  held_ = {};
  touch();
}

void Session::append_connect_reply(std::string& out, std::string_view id, const TimeSync* time_sync,
                                   const core::BundlePtr& bundle) {
  std::string ack;
  if (acknowledgement_) ack = std::to_string(acknowledgement_->close_batch(bundle));
  const std::string clock =
      time_sync != nullptr ? time_sync->reply(service_.clock_.wall_now()) : "";
  bayeux::append_connect_reply(out, *realm_, id_, id, make_ext(ack, clock));
}

void Session::answer_held(bool with_deliveries) {
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

void Session::arm() {
  base::TimePoint next = last_sign_ + realm_->bayeux.session_timeout();
  if (held_.is_held) next = held_.deadline;
  service_.timers_.arm(*this, next);
}

void Session::expire(base::TimePoint now) {
  if (held_.is_held) {
    if (now >= held_.deadline) answer_held(/*with_deliveries=*/true);
  } else if (outlet_ == nullptr && now >= last_sign_ + realm_->bayeux.session_timeout()) {
    return service_.end(*this, core::kSessionExpired);  // destroys this session
  }
  // A stream watches over its own peer; the clock starts when it goes.
  if (held_.is_held || outlet_ == nullptr) arm();
}

core::Subscription* Session::find_subscription(std::string_view pattern) {
  const auto found =
      std::ranges::find_if(subscriptions_, [pattern](const core::Subscription& subscription) {
        return subscription.pattern().text() == pattern;
      });
  return found == subscriptions_.end() ? nullptr : &*found;
}

void Session::remove_subscription(std::string_view pattern) {
  core::Subscription* const found = find_subscription(pattern);
  if (found == nullptr) return;
  *found = std::move(subscriptions_.back());
  subscriptions_.pop_back();
}

}  // namespace fanfare::protocol::bayeux
