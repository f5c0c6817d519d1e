#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <boost/intrusive/list.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include "base/turn.hpp"
#include "core/ledger.hpp"
#include "core/realm.hpp"
#include "protocol/bayeux/peer.hpp"
#include "protocol/bayeux/session_id.hpp"
#include "wire/bayeux/errors.hpp"
#include "wire/bayeux/message.hpp"
#include "wire/bayeux/reply.hpp"

namespace fanfare::protocol::bayeux {

class Service;

/// Lets an array of messages stand in the list of those that wait, so that it can be forgotten.
using WaitingHook =
    boost::intrusive::list_base_hook<boost::intrusive::tag<struct WaitingAnsweringTag>,
                                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// One array of messages on its way to one array of replies. The messages are carried out one after
/// the other until the turn has had enough work; the rest goes on in the next. It is answered when
/// the last of the messages is; some wait for other workers.
///
/// Ownership: keeps itself while it stands in line. The messages are borrowed from the parser until
/// it has to wait; then it takes them.
class Answering final
    : public boost::intrusive_ref_counter<Answering, boost::thread_unsafe_counter>,
      public WaitingHook,
      private base::Turn::Waiter {
 public:
  Answering(Service& service, core::RealmPtr realm, std::span<const wire::bayeux::Message> messages,
            CallerPtr caller);
  /// The caller fails if it has not been answered: something threw that would have.
  ~Answering() override;

  /// Carries out the messages, as far as this turn allows.
  void begin();
  /// The parser is about to read something else.
  void keep_messages();
  /// Forgets the rest, without an answer.
  void abandon() noexcept;

  [[nodiscard]] const core::RealmPtr& realm() const noexcept { return realm_; }
  [[nodiscard]] Outlet* outlet() const noexcept { return caller_->outlet(); }
  [[nodiscard]] std::string peer_network() const { return caller_->peer_network(); }
  /// Over HTTP a connect that shares its request is answered with the others (rule R17).
  [[nodiscard]] bool may_hold() const noexcept {
    return outlet() != nullptr || messages_.size() == 1;
  }
  /// No client shakes hands twice in one request; true once.
  bool may_shake_hands() noexcept { return !std::exchange(has_shaken_hands_, true); }
  /// One connect of an array brings what waits, so that the answer is never longer than that of a
  /// connect alone; true once.
  bool may_deliver() noexcept { return !std::exchange(has_delivered_, true); }

  /// Room for one more element of the answer.
  std::string& element() {
    if (!elements_.empty()) elements_ += ',';
    return elements_;
  }
  void reply(const wire::bayeux::Reply& reply);
  /// The reply `to` that message, unsuccessful.
  void refuse(const wire::bayeux::Message& to, const std::string& error,
              std::optional<wire::bayeux::Advice> advice = {});
  void refuse(const wire::bayeux::Message& to, wire::bayeux::Problem problem,
              std::string_view argument, std::optional<wire::bayeux::Advice> advice = {});

  /// The answer is to bring what waits for this session.
  void deliver_to(const SessionId& session) { delivers_to_ = session; }
  /// The caller is not to be answered here: it is held, as the session's connect.
  CallerPtr take_caller() { return std::move(caller_); }

  void wait_for_one_more() { ++open_; }
  void one_is_done() noexcept;

 private:
  /// The messages of an array that has to wait, and what they take.
  class Kept final : public core::Holder {
   public:
    Kept(core::AddressPtr address, core::RealmShare& realm,
         std::unique_ptr<wire::bayeux::Messages> messages);
    ~Kept() override = default;
    /// Why the rest is not carried out; empty if it is.
    [[nodiscard]] std::string_view refusal() const noexcept { return refusal_; }

   private:
    void give_way(const core::Disconnect& why) noexcept override;
    std::unique_ptr<wire::bayeux::Messages> messages_;
    std::string_view refusal_;
  };

  void go_on() override;
  void on_failed() noexcept override;
  void fail() noexcept;
  void carry_out(const wire::bayeux::Message& message);

  Service& service_;
  core::RealmPtr realm_;
  std::span<const wire::bayeux::Message> messages_;
  std::size_t next_ = 0;  // of messages_
  std::unique_ptr<Kept> kept_;
  boost::intrusive_ptr<Answering> self_;  // while it stands in line
  CallerPtr caller_;
  std::string elements_;
  std::optional<SessionId> delivers_to_;
  std::size_t open_ = 1;  // the walk over the messages itself
  bool has_shaken_hands_ = false;
  bool has_delivered_ = false;
};

using AnsweringPtr = boost::intrusive_ptr<Answering>;

}  // namespace fanfare::protocol::bayeux
