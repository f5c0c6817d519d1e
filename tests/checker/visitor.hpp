#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <poll.h>
#include <string>
#include <string_view>
#include <vector>

#include "checker/model.hpp"
#include "support/connection.hpp"
#include "support/random.hpp"
#include "wire/json/json.hpp"

namespace fanfare::checker {

/// What the server was told; see server_config() in main.cpp.
struct Timing {
  milliseconds connect_timeout;
  milliseconds session_timeout;
};

/// What all visitors of a round share.
struct World {
  Model& model;
  std::uint16_t port;
  Timing timing;
  /// Every session of the round, also those that have ended.
  std::vector<std::shared_ptr<Session>> sessions;
  /// When this turn's and the last turn's look at the sockets was: what is read now came after the
  /// latter.
  Time now;
  Time previous;
};

/// One browser that cannot make up its mind: handshakes, polls, changes transports, breaks off,
/// subscribes, goes quiet, all at random, and holds what it gets against the model.
class Visitor {
 public:
  /// A witness only listens, to everything, on one WebSocket that it keeps.
  enum class Kind { random, witness };

  Visitor(World& world, std::uint64_t seed, Kind kind);

  /// Does something, if it is time to.
  void step();
  void add_descriptors(std::vector<pollfd>& to) const;
  /// Reads everything there is, in the order in which the server must have written it.
  void read();
  /// Whatever ought to have been answered by now.
  void check_patience();

  /// No more adventures: collects what it is owed, then checks that nothing is missing.
  void settle() { is_settling_ = true; }
  [[nodiscard]] bool is_settled() const { return is_settled_; }
  /// At the end: says goodbye, or just goes.
  void leave();
  [[nodiscard]] bool is_ready() const { return is_ready_; }

  [[nodiscard]] const std::shared_ptr<Session>& session() const { return session_; }
  [[nodiscard]] std::string trace_text() const;

 private:
  enum class Verb { handshake, connect, subscribe, unsubscribe, publish, disconnect };

  /// One message that waits for its reply.
  struct Ask {
    Verb verb;
    Tick tick;
    Time at;
    milliseconds idle_before{};  // since the server could last have heard of the session
    std::vector<std::size_t> patterns{};
    std::vector<std::size_t> intervals{};
    std::optional<PublicationId> publication{};
  };

  enum class Role {
    poll,    // HTTP: /meta/connect
    side,    // HTTP: everything else
    socket,  // a WebSocket
    events,  // an event stream
  };

  struct Link {
    std::unique_ptr<Connection> connection;
    Role role;
    std::string name;  // in traces
    Tick bound = 0;    // when it was last made the place where deliveries go
    std::map<std::string, Ask> asks{};
    bool is_leaving = false;  // said goodbye; read to its end
    Time left_at{};
    bool was_displaced = false;  // another takes the deliveries
    bool has_rival = false;      // a poll was on its way when this one was: which of them is newer?
    bool has_answered = false;
    Time slow_until{};
    bool was_overrun = false;                // the server closes it because too much waits
    std::vector<PublicationId> delivered{};  // by the last answer, or by the stream: rules 5 and 8
  };
  using LinkPtr = std::shared_ptr<Link>;

  [[nodiscard]] static bool is_stream(const Link& link) {
    return link.role == Role::socket || link.role == Role::events;
  }

  // What there is to do.
  void act();
  void begin_session();
  void poll();
  void abort_poll();
  void side_request();
  void open_socket();
  void use_socket();
  void open_events();
  void abort_stream();
  void slow_down();
  void go_quiet();
  void disconnect();
  void cut_batch();
  void settle_step();

  // How it is done.
  LinkPtr open(Role role, int receive_bytes_max = 0);
  LinkPtr http_link(Role role);
  [[nodiscard]] LinkPtr stream() const;
  [[nodiscard]] bool has_asked(Role role) const;
  [[nodiscard]] bool is_tangled(const Link* but = nullptr) const;
  std::string message(Verb verb, Link& link, const std::string& more = {});
  std::string subscribe_message(Link& link, bool is_subscribe, std::size_t count);
  std::string publish_message(Link& link);
  void send(Link& link, const std::vector<std::string>& messages);
  void displace_stream(const Link* by);
  void say_goodbye(Link& link);
  /// Breaks off; `how` is for the trace.
  void cut(Link& link, bool by_reset);
  void forget_asks(Link& link);
  void end_session();

  // What comes.
  void take(Link& link, const Arrival& arrival);
  void take_messages(Link& link, std::string_view text);
  void take_reply(Link& link, const Ask& ask, const wire::json::Value& reply);
  void check_stream();
  [[nodiscard]] bool shows_all(const Link& link, const Ask& ask) const;
  void session_unknown(const Ask& ask);
  void take_end(Link& link, bool is_clean);

  void trace(std::string line);
  [[noreturn]] void fail(const std::string& what) const;

  World& world_;
  Random random_;
  Kind kind_;
  std::shared_ptr<Session> session_;
  std::vector<std::string> early_trace_;
  std::vector<LinkPtr> links_;
  std::size_t next_id_ = 1;
  std::size_t next_link_ = 1;
  Time next_step_;
  bool is_ending_ = false;  // a disconnect is on its way
  bool is_settling_ = false;
  bool is_settled_ = false;
  bool is_ready_ = false;
  std::size_t empty_polls_ = 0;
  Tick bound_ = 0;       // of the latest link that took the deliveries
  Time rival_at_{};      // when two connects were last on their way at once, broken ones counted
  std::string watched_;  // the stream that has to bring what was due at watched_tick_
  Time watched_since_;
  Tick watched_tick_ = 0;
  Time tangled_at_{};  // and those that were not: rule 9
  // The server has last heard of the session between these two.
  Time sign_at_least_;
  Time sign_at_most_;
};

}  // namespace fanfare::checker
