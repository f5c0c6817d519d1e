#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <boost/intrusive/list.hpp>

#include "base/byte_budget.hpp"
#include "base/clock.hpp"
#include "base/timer_wheel.hpp"
#include "base/turn.hpp"
#include "core/ledger.hpp"
#include "core/realm.hpp"
#include "core/worker_set.hpp"
#include "delivery/in_flight.hpp"
#include "net/socket.hpp"
#include "protocol/bayeux/peer.hpp"
#include "protocol/bayeux/service.hpp"
#include "wire/websocket/deflate.hpp"
#include "wire/websocket/message_reader.hpp"

namespace fanfare::transport::websocket {

class Connection;
using ConnectionPtr = boost::intrusive_ptr<Connection>;

struct ConnectionLimits {
  std::size_t message_bytes_max;
  /// From the first byte of a message to its last.
  base::Duration message_timeout;
  /// An idle peer is pinged after this long, and taken for gone after as long again.
  base::Duration ping_interval;
  /// How long a connection may go without ever having had a session. Faye opens one before it needs
  /// it.
  base::Duration unused_timeout;
};

/// What was agreed on about compression.
struct Compression {
  /// Messages of the peer may be compressed.
  bool inflates = false;
  /// So may ours, in the one form that fits all peers: not for one whose window is smaller.
  bool deflates = false;
};

/// A connection between two workers: everything of it that a thread can hand to another.
struct Moving {
  net::Socket::Released socket;
  core::RealmPtr realm;
  Compression compression;
  /// The message that belongs on the other worker, and what was read behind it.
  std::string message;
  std::string unread;
  /// Bytes that were begun and have to be ended before anything else is written.
  std::string unwritten;
};

/// Bundles of one connection that may not have arrived.
struct Sent final : delivery::InFlight<protocol::bayeux::SessionId> {
  explicit Sent(Connection& its_connection) : connection(its_connection) {}
  Connection& connection;
  base::TimePoint looked_at{};
};

/// Looks once a second at what all connections of a worker have sent, so that one that has become
/// quiet does not keep the last of it.
class SentLooks final : private base::Timer {
 public:
  SentLooks(const base::Clock& clock, base::TimerWheel& timers) : clock_(clock), timers_(timers) {}
  void add(Sent& sent) noexcept;

 private:
  void expire(base::TimePoint now) override;
  void on_failed() noexcept override;

  const base::Clock& clock_;
  base::TimerWheel& timers_;
  boost::intrusive::list<Sent, boost::intrusive::base_hook<delivery::InFlightHook>,
                         boost::intrusive::constant_time_size<false>>
      all_;
};

/// What the connections of one worker share.
struct ConnectionContext {
  net::EventLoop& loop;
  const ConnectionLimits& limits;
  protocol::bayeux::Service& service;
  /// Every read goes here first, so that an idle connection owns no buffer.
  std::span<char> scratch;
  /// Messages that have come in part, on this worker.
  base::ByteBudget& incoming;
  wire::websocket::Inflater& inflater;
  wire::websocket::Deflater& deflater;
  /// Our own frames in answer to what one read brought, while that is being handled; they leave in
  /// one write.
  std::string batched;
  /// Brings a connection to the worker on which its session lives.
  std::function<void(core::WorkerIndex, Moving)> move;
  SentLooks sent_looks{loop.clock(), loop.timers()};
  /// Publications of which nobody can know whether they arrived before their connection died.
  std::size_t uncertain = 0;
};

/// All connections of one worker, for closing them at the end.
using ConnectionHook =
    boost::intrusive::list_base_hook<boost::intrusive::tag<struct WebSocketConnectionTag>,
                                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// One WebSocket that speaks Bayeux. Deliveries are shared frames, written directly; only what the
/// kernel does not take at once is kept here, by reference.
///
/// Threads: one worker's. Ownership: keeps itself alive while it waits for its socket. Cost: about
/// 200 bytes besides the socket while nothing is on its way.
class Connection final : public net::Readiness,
                         public protocol::bayeux::Outlet,
                         public protocol::bayeux::Caller,
                         public base::Timer,
                         public ConnectionHook,
                         public core::Holder {
 public:
  Connection(ConnectionContext& context, net::Socket socket, core::RealmPtr realm,
             Compression compression);
  ~Connection() override;

  /// Begins with what was read behind the upgrade request, after `answer` has been written.
  void start(std::string answer, std::string unread);
  /// Goes on with a connection from another worker.
  void resume(Moving moving);

  /// Says goodbye and closes.
  void close(const core::Disconnect& why) noexcept;
  /// Breaks the connection off.
  void abort() noexcept { peer_is_gone(); }
  /// Forgets what has arrived of what was sent.
  void look_at_sent() noexcept;

  // protocol::bayeux::Outlet
  void send(protocol::bayeux::Session& from, const core::BundlePtr& bundle) noexcept override;
  [[nodiscard]] bool is_congested() const noexcept override { return outbox_ != nullptr; }
  void reply(std::string_view elements) noexcept override;
  void give_back(protocol::bayeux::Session& session) noexcept override;
  void end(const core::Disconnect& why) noexcept override;

  // protocol::bayeux::Caller
  [[nodiscard]] std::string peer_network() const override { return socket_.peer_network(); }
  protocol::bayeux::Outlet* outlet() noexcept override { return this; }
  void answer(std::string_view elements,
              const protocol::bayeux::Deliveries& deliveries) noexcept override;
  void supersede() noexcept override {}
  void settle() noexcept override { settle_goodbye(); }
  void settle_goodbye() noexcept override;
  void fail() noexcept override { close(core::kFailed); }
  void hold(protocol::bayeux::Session& session) noexcept override;

 private:
  enum class State {
    open,
    closing,  // our close frame is on its way or out; what still comes is thrown away
    gone,
  };

  /// What is not written yet: frames of our own, and bundles shared with other connections.
  struct Outbox {
    struct Item {
      core::BundlePtr bundle;  // null for a frame of our own
      protocol::bayeux::SessionId of;
      std::string own;
      std::size_t written;
    };
    std::deque<Item> items;
    std::size_t bytes = 0;
    std::size_t own_bytes = 0;  // of these, in frames of our own
  };

  /// What the peer has sent ahead, while one of its messages waits for other workers, or the
  /// connection stands in line for its turn.
  struct Ahead final : base::Turn::Waiter {
    explicit Ahead(Connection& its_connection) : connection(its_connection) {}
    void go_on() override;
    void on_failed() noexcept override { connection.on_failed(); }
    Connection& connection;
    ConnectionPtr in_line;  // while it stands there: then nobody else may refer to it
    std::string bytes;
  };

  void add_reference() noexcept override {
    intrusive_ptr_add_ref(static_cast<net::Readiness*>(this));
  }
  void release_reference() noexcept override {
    intrusive_ptr_release(static_cast<net::Readiness*>(this));
  }

  void on_readable() override;
  void on_writable() override;
  void expire(base::TimePoint now) override;
  void on_failed() noexcept override { peer_is_gone(); }  // of a socket, the timer, or in its turn
  void give_way(const core::Disconnect& why) noexcept override;
  [[nodiscard]] std::size_t unfinished_bytes() const noexcept override { return unfinished_; }

  void wait_readable() noexcept;
  void read();
  void go_on();
  void go_on_later() noexcept;
  void keep_ahead(std::span<const char> bytes) noexcept;
  void read_frames(std::span<char> bytes);
  void handle(const wire::websocket::Event& event, std::span<char> unread);
  [[nodiscard]] bool has_replies_waiting() const noexcept;
  void count_unfinished();
  void forget_input() noexcept;
  void recount() noexcept;
  void take_message(std::string_view text, std::span<char> unread);
  void move_to(core::WorkerIndex worker, std::string_view text, std::span<char> unread);
  [[nodiscard]] std::string_view frame_of(core::Bundle& bundle);
  [[nodiscard]] std::string_view deflated_frame_of(core::Bundle& bundle);
  [[nodiscard]] std::string_view bytes_of(Outbox::Item& item);
  void note_sent(const core::BundlePtr& bundle, const protocol::bayeux::SessionId& of,
                 std::uint64_t end) noexcept;
  void begin_to_note_sent() noexcept;
  [[nodiscard]] delivery::InKernel in_kernel() noexcept;
  bool take_back_sent(const protocol::bayeux::SessionId& of) noexcept;
  void take_back_what_was_left() noexcept;
  /// Returns how much could be written at once; nothing while something else is in front.
  [[nodiscard]] std::size_t write_now(std::string_view bytes);
  void write(std::string frame) noexcept;
  void write_batched() noexcept;
  void write_or_keep(std::string frame) noexcept;
  void enqueue(Outbox::Item item, std::size_t bytes) noexcept;
  void close(wire::websocket::CloseCode code, std::string_view reason) noexcept;
  void linger() noexcept;
  void peer_is_gone() noexcept;
  void arm_ping();

  ConnectionContext& context_;
  net::Socket socket_;
  wire::websocket::MessageReader reader_;
  std::uint32_t unfinished_ = 0;  // bytes of a message that has come in part
  State state_ = State::open;
  Compression compression_;
  bool is_waiting_readable_ = false;
  bool is_busy_ = false;  // a message waits for other workers; the next one waits for it
  bool is_reading_ = false;
  bool was_pinged_ = false;
  bool has_had_session_ = false;
  bool is_broken_ = false;  // the peer has gone: nothing more leaves
  base::TimePoint opened_;
  base::TimePoint last_heard_;
  base::TimePoint message_deadline_ = base::TimePoint::max();  // while one has come in part
  std::uint64_t written_ = 0;                                  // bytes that the kernel has taken
  std::unique_ptr<Outbox> outbox_;                             // never empty
  std::unique_ptr<Ahead> ahead_;
  std::unique_ptr<Sent> sent_;
};

}  // namespace fanfare::transport::websocket
