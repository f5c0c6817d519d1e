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
#include "protocol/bayeux/peer.hpp"
#include "protocol/bayeux/session.hpp"
#include "protocol/bayeux/session_id.hpp"
#include "wire/bayeux/message.hpp"

namespace fanfare::protocol::bayeux {

struct ServiceLimits {
  /// Bytes of publications that wait, over all sessions of the worker; above it, the sessions that
  /// hold most are ended first.
  std::size_t queued_bytes_max = 1024 * 1024 * 1024;
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

  /// Reads a request body or a frame. The messages live until the next call.
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
  /// it becomes a session's held connect.
  void handle(const core::RealmPtr& realm, std::span<const wire::bayeux::Message> messages,
              CallerPtr caller);

  /// The session of that realm, if it lives here.
  Session* find(const core::Realm& realm, const SessionId& id);

  /// Ends a session: its held connect is answered, its outlet told, its subscriptions go.
  void end(Session& session, const core::Disconnect& why);
  /// Sends what has come and answers all held connects, so that their clients go elsewhere. For
  /// shutting down.
  void release_all();
  /// Forgets all sessions without a word.
  void clear();

  [[nodiscard]] std::size_t session_count() const noexcept;

 private:
  friend class Session;
  class Batch;
  struct LocalRealm;

  LocalRealm& local(const core::RealmPtr& realm);

  void handle_one(Batch& batch, const wire::bayeux::Message& message);
  void handshake(Batch& batch, const wire::bayeux::Message& message);
  void connect(Batch& batch, const wire::bayeux::Message& message, Session& session);
  void answer_connect(Batch& batch, const wire::bayeux::Message& message, Session& session,
                      const TimeSync* time_sync);
  void subscribe(Batch& batch, const wire::bayeux::Message& message, Session& session);
  void unsubscribe(Batch& batch, const wire::bayeux::Message& message, Session& session);
  void disconnect(Batch& batch, const wire::bayeux::Message& message, Session& session);
  void publish(Batch& batch, const wire::bayeux::Message& message);
  Session* session_of(Batch& batch, const wire::bayeux::Message& message);

  void mark_dirty(Session& session);
  void flush_later();
  void flush_some();
  void shed_queues();

  core::Exchange& exchange_;
  base::TimerWheel& timers_;
  const base::Clock& clock_;
  wire::bayeux::MessageParser parser_;
  std::size_t queued_bytes_max_;
  std::size_t queued_bytes_ = 0;
  core::BundleRoot bundles_;
  boost::unordered_flat_map<std::string, std::unique_ptr<LocalRealm>> realms_;  // by realm id
  boost::intrusive::list<Session, boost::intrusive::base_hook<DirtyHook>,
                         boost::intrusive::constant_time_size<false>>
      dirty_;
  bool flush_is_due_ = false;
  bool is_leaving_ = false;  // some of those that were dirty at once have been flushed, not all
  int turns_waited_ = 0;
};

}  // namespace fanfare::protocol::bayeux
