#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <boost/intrusive/list.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/task.hpp"
#include "base/timer_wheel.hpp"
#include "core/exchange.hpp"
#include "core/realm.hpp"
#include "delivery/departures.hpp"
#include "protocol/bayeux/answering.hpp"
#include "protocol/bayeux/peer.hpp"
#include "protocol/bayeux/session.hpp"
#include "protocol/bayeux/session_id.hpp"
#include "wire/bayeux/message.hpp"

namespace fanfare::protocol::bayeux {

struct ServiceLimits {
  /// Arrays and objects inside each other, in what clients send.
  std::size_t json_depth_max = wire::json::kDepthMax;
};

/// All that one worker does of Bayeux: it keeps the sessions that live here, and turns messages
/// into effects and replies.
///
/// Threads: one worker's. Ownership: owns the sessions. Cost: a delivery costs a pointer comparison
/// until the turn ends, and then one send per session, however many publications met.
class Service {
 public:
  Service(core::Exchange& exchange, base::TimerWheel& timers, const base::Clock& clock,
          const ServiceLimits& limits);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  /// Reads a request body or a frame. The messages live until the next call, or as long as they
  /// take to be carried out.
  base::Result<std::span<const wire::bayeux::Message>> parse(const core::Realm& realm,
                                                             std::string_view text);

  /// The other worker on which the sessions of these messages live, if there is one: whatever came
  /// with them has to go there.
  [[nodiscard]] std::optional<core::WorkerIndex> elsewhere(
      std::span<const wire::bayeux::Message> messages) const;

  [[nodiscard]] bool is_elsewhere(const SessionId& id) const noexcept {
    return id.worker() != exchange_.self() && id.worker().value() < exchange_.worker_count();
  }

  /// Carries the messages out, in order. `caller` is answered once, perhaps before this returns; or
  /// it becomes a session's held connect. If something throws, here or later, the caller fails, and
  /// the session that the message was for ends.
  void handle(const core::RealmPtr& realm, std::span<const wire::bayeux::Message> messages,
              CallerPtr caller);

  /// The session of that realm, if it lives here.
  Session* find(const core::Realm& realm, const SessionId& id) noexcept;

  /// Ends a session: its held connect is answered, its outlet told, its subscriptions go.
  void end(Session& session, const core::Disconnect& why) noexcept;
  /// Sends what has come and answers all held connects, so that their clients go elsewhere. For
  /// shutting down.
  void release_all() noexcept;
  /// Forgets all sessions without a word.
  void clear();

  [[nodiscard]] std::size_t session_count() const noexcept;
  [[nodiscard]] base::Turn& turn() const noexcept { return exchange_.turn(); }
  [[nodiscard]] core::Ledger& ledger() const noexcept { return exchange_.ledger(); }

 private:
  friend class Answering;
  friend class Session;
  struct Neighbours;
  class Joining;
  using Handler = void (Service::*)(Answering&, const wire::bayeux::Message&, Session&);
  struct LocalRealm;
  class Reading;

  LocalRealm& local(const core::RealmPtr& realm);
  Neighbours& neighbours(LocalRealm& local, core::Address& address);

  std::unique_ptr<wire::bayeux::Messages> take_messages() { return parser_.take(); }
  void note_waiting(Answering& answering) noexcept { waiting_.push_back(answering); }
  void carry_out(Answering& batch, const wire::bayeux::Message& message);
  void act_for(Session& session, Handler handler, Answering& batch,
               const wire::bayeux::Message& message);
  std::string_view make_room(LocalRealm& local, core::Address& address);
  bool drop_fresh(LocalRealm& local, core::Address& address);
  [[nodiscard]] static bool has_place_for(const Session& session, const Answering& batch);
  void handshake(Answering& batch, const wire::bayeux::Message& message);
  void connect(Answering& batch, const wire::bayeux::Message& message, Session& session);
  void answer_connect(Answering& batch, const wire::bayeux::Message& message, Session& session,
                      const TimeSync* time_sync);
  void subscribe(Answering& batch, const wire::bayeux::Message& message, Session& session);
  void unsubscribe(Answering& batch, const wire::bayeux::Message& message, Session& session);
  void disconnect(Answering& batch, const wire::bayeux::Message& message, Session& session);
  void publish(Answering& batch, const wire::bayeux::Message& message);
  Session* session_of(Answering& batch, const wire::bayeux::Message& message);

  core::Exchange& exchange_;
  base::TimerWheel& timers_;
  const base::Clock& clock_;
  wire::bayeux::MessageParser parser_;
  Answering* reading_ = nullptr;  // whose messages the parser has
  delivery::Departures departures_;
  boost::unordered_flat_map<std::string, std::unique_ptr<LocalRealm>> realms_;  // by realm id
  boost::intrusive::list<Answering, boost::intrusive::base_hook<WaitingHook>,
                         boost::intrusive::constant_time_size<false>>
      waiting_;  // for a turn in which there is room for more of their messages
};

}  // namespace fanfare::protocol::bayeux
