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

}  // namespace

Session::Session(Service& service, core::RealmPtr realm, SessionId id)
    : service_(service), realm_(std::move(realm)), id_(id), last_sign_(service.clock_.now()) {
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
  if (outlet_ != nullptr) {
    while (outlet_ != nullptr && has_waiting()) outlet_->send(*this, take_bundle());
  } else if (held_.is_held) {
    answer_held(/*with_deliveries=*/true);
  } else {
    enqueue_pending();
    if (queue_is_over_limit()) service_.end(*this, core::kSlowConsumer);
  }
}

void Session::enqueue_pending() {
  if (!pending_) return;
  if (!queue_) queue_ = std::make_unique<Queue>();
  pending_->for_each([this](const core::PublicationPtr& publication) {
    queue_->publications.push_back(publication);
    queue_->bytes += publication->data.size();
  });
  pending_.reset();
}

bool Session::queue_is_over_limit() const {
  return queue_ != nullptr && (queue_->publications.size() > realm_->limits.queue_messages_max ||
                               queue_->bytes > realm_->limits.queue_bytes_max);
}

core::BundlePtr Session::take_bundle() {
  // The common case: nothing is left from before, and the shared row goes out as it is.
  if (!queue_ && (!pending_ || pending_->bytes() <= kBundleBytesMax))
    return std::exchange(pending_, nullptr);
  enqueue_pending();
  core::BundlePtr bundle;
  auto& publications = queue_->publications;
  while (!publications.empty() &&
         (!bundle || bundle->bytes() + publications.front()->data.size() <= kBundleBytesMax)) {
    bundle = bundle ? bundle->with(publications.front()) : core::Bundle::of(publications.front());
    queue_->bytes -= publications.front()->data.size();
    publications.pop_front();
  }
  if (publications.empty()) queue_.reset();
  return bundle;
}

void Session::requeue(const core::BundlePtr& bundle) {
  enqueue_pending();
  if (!queue_) queue_ = std::make_unique<Queue>();
  std::vector<core::PublicationPtr> row;
  bundle->for_each([&row](const core::PublicationPtr& publication) { row.push_back(publication); });
  for (auto publication = row.rbegin(); publication != row.rend(); ++publication) {
    queue_->bytes += (*publication)->data.size();
    queue_->publications.push_front(std::move(*publication));
  }
  if (!DirtyHook::is_linked()) service_.mark_dirty(*this);
}

void Session::touch() {
  last_sign_ = service_.clock_.now();
  if (!held_.is_held && outlet_ == nullptr) arm();
}

void Session::bind(Outlet& outlet) {
  if (outlet_ == &outlet) return;
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

void Session::hold_connect(std::string_view id, CallerPtr caller, base::Duration timeout) {
  held_.id = id;
  held_.caller = std::move(caller);
  held_.deadline = service_.clock_.now() + timeout;
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

void Session::release_held() {
  if (!held_.is_held) return;
  const Held held = std::exchange(held_, {});
  std::string reply;
  append_final_connect_reply(reply, *realm_, held.id);
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

void Session::answer_held(bool with_deliveries) {
  const Held held = std::exchange(held_, {});
  std::string reply;
  append_connect_reply(reply, *realm_, id_, held.id);
  if (held.caller) {
    held.caller->answer(reply, {with_deliveries ? take_bundle() : nullptr, id_});
  } else if (outlet_ != nullptr) {
    outlet_->reply(reply);
  }
  touch();
}

void Session::arm() {
  base::TimePoint next = last_sign_ + realm_->bayeux.session_timeout();
  if (held_.is_held) next = held_.deadline;
  service_.timers_.arm(*this, next);
}

void Session::expire(base::TimePoint now) {
  if (held_.is_held) {
    if (now >= held_.deadline) {
      flush();
      if (held_.is_held) answer_held(/*with_deliveries=*/true);
    }
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
