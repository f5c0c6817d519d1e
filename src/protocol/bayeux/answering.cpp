#include "protocol/bayeux/answering.hpp"

#include <utility>

#include "base/fault.hpp"
#include "protocol/bayeux/replies.hpp"
#include "protocol/bayeux/service.hpp"
#include "protocol/bayeux/session.hpp"

namespace fanfare::protocol::bayeux {

using wire::bayeux::Advice;
using wire::bayeux::Message;
using wire::bayeux::Problem;
using wire::bayeux::Reply;

namespace {

// A message and its reply, whatever else it asks for.
constexpr base::Work kMessage = 1'500;

}  // namespace

Answering::Answering(Service& service, core::RealmPtr realm, std::span<const Message> messages,
                     CallerPtr caller)
    : service_(service),
      realm_(std::move(realm)),
      messages_(messages),
      caller_(std::move(caller)) {}

Answering::~Answering() {
  fail();
}

void Answering::fail() noexcept {
  if (const CallerPtr caller = std::exchange(caller_, nullptr)) caller->fail();
}

void Answering::begin() {
  const AnsweringPtr self(this);
  go_on();
}

void Answering::go_on() {
  const AnsweringPtr self = self_ ? std::move(self_) : AnsweringPtr(this);
  WaitingHook::unlink();
  base::Turn& turn = service_.turn();
  for (; next_ < messages_.size(); ++next_) {
    if (turn.has_to_stop() && caller_) {
      keep_messages();
      self_ = self;
      service_.note_waiting(*this);
      return turn.wait(*this, kept_->address().network());
    }
    turn.spend(kMessage);
    carry_out(messages_[next_]);
  }
  one_is_done();
}

/// What it has begun goes on, but nobody waits for it any more.
void Answering::on_failed() noexcept {
  const AnsweringPtr self = self_ ? std::move(self_) : AnsweringPtr(this);
  WaitingHook::unlink();
  fail();
}

void Answering::carry_out(const Message& message) {
  if (kept_ && !kept_->refusal().empty()) {
    return refuse(message, wire::bayeux::error_text(503, {}, kept_->refusal()));
  }
  service_.carry_out(*this, message);
}

void Answering::keep_messages() {
  if (kept_ || !caller_) return;
  core::Ledger& ledger = service_.ledger();
  kept_ = std::make_unique<Kept>(ledger.address(peer_network()), ledger.realm(realm_),
                                 service_.take_messages());
}

Answering::Kept::Kept(core::AddressPtr address, core::RealmShare& realm,
                      std::unique_ptr<wire::bayeux::Messages> messages)
    : core::Holder(std::move(address), realm), messages_(std::move(messages)) {
  set_own(messages_->bytes());
}

void Answering::Kept::give_way(const core::Disconnect& why) noexcept {
  // They are read to their end, which frees them; but nothing is done for them any more.
  refusal_ = why.reason;
  set_own(0);
}

void Answering::abandon() noexcept {
  leave_line();
  WaitingHook::unlink();
  caller_.reset();
  self_.reset();
}

void Answering::reply(const Reply& reply) {
  FANFARE_MAY_THROW("a reply");
  wire::bayeux::append_reply(element(), reply);
}

void Answering::refuse(const Message& to, const std::string& error, std::optional<Advice> advice) {
  reply(Reply{.id = to.id.is_given() ? to.id.text : std::string_view(),
              .channel = to.channel.text,
              .is_successful = false,
              .subscription = to.subscription.raw,
              .advice = advice,
              .error = error});
}

void Answering::refuse(const Message& to, Problem problem, std::string_view argument,
                       std::optional<Advice> advice) {
  refuse(to, wire::bayeux::error_text(dialect(*realm_), problem, argument), advice);
}

void Answering::one_is_done() noexcept {
  if (--open_ > 0 || !caller_) return;
  Deliveries deliveries;
  if (outlet() != nullptr) {
    outlet()->flush_sessions();
  } else if (delivers_to_) {
    Session* const session = service_.find(*realm_, *delivers_to_);
    if (session != nullptr && !session->has_outlet()) {
      deliveries = {session->take_bundle(), session->id()};
      if (deliveries.bundle) session->answered_by(caller_);
    }
  }
  std::exchange(caller_, nullptr)->answer(elements_, deliveries);
}

}  // namespace fanfare::protocol::bayeux
