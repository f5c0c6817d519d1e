#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <boost/intrusive/list.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>

#include "base/byte_budget.hpp"
#include "base/clock.hpp"
#include "base/timer_wheel.hpp"
#include "base/turn.hpp"
#include "core/ledger.hpp"
#include "net/outbox.hpp"
#include "net/socket.hpp"
#include "wire/http1/request.hpp"
#include "wire/http1/response.hpp"

namespace fanfare::transport::http {

class Connection;
using ConnectionPtr = boost::intrusive_ptr<Connection>;

/// Where requests go. Implemented by server/.
class Handler {
 public:
  /// Exactly one of respond(), start_stream() and detach() is called on `connection`, now or later.
  /// If it throws, the connection breaks off.
  virtual void handle(const ConnectionPtr& connection, wire::http1::Request request) = 0;

 protected:
  virtual ~Handler() = default;
};

struct ConnectionLimits {
  wire::http1::RequestLimits request;
  base::Duration header_timeout;
  base::Duration body_timeout;
  base::Duration keep_alive_timeout;
  /// How long an answer may wait for a peer that does not read.
  base::Duration write_timeout{60'000};
};

/// What the connections of one worker share.
struct ConnectionContext {
  net::EventLoop& loop;
  const ConnectionLimits& limits;
  Handler& handler;
  base::Turn& turn;
  core::Ledger& ledger;
  /// Every read goes here first, so that an idle connection owns no buffer.
  std::span<char> scratch;
  /// Bodies that have come in part.
  base::ByteBudget& incoming;
  /// Answers to what one read brought, while that is being handled; they leave in one write.
  std::string batched;
  wire::http1::HttpDate date{};
};

/// Who waits with an unanswered request, and wants to know whether the peer still does.
class Waiter {
 public:
  /// The peer has gone, and there is no use in answering. Called at most once, and not after
  /// respond().
  virtual void peer_left() noexcept = 0;
  /// What was answered has surely arrived, or surely not (the kernel saw it rejected). Called at
  /// most once, after respond(); not at all if nobody can know.
  virtual void answer_arrived(bool has_arrived) noexcept = 0;
  /// The kernel has taken all of the stream so far, after it could not for a while.
  virtual void stream_written() noexcept {}
  /// The server is about to end: the stream is to say goodbye.
  virtual void stream_has_to_end() noexcept {}

  friend void intrusive_ptr_add_ref(Waiter* waiter) noexcept { waiter->add_reference(); }
  friend void intrusive_ptr_release(Waiter* waiter) noexcept { waiter->release_reference(); }

 protected:
  virtual ~Waiter() = default;

 private:
  virtual void add_reference() noexcept = 0;
  virtual void release_reference() noexcept = 0;
};

/// All connections of one worker, for closing them at the end.
using ConnectionHook =
    boost::intrusive::list_base_hook<boost::intrusive::tag<struct HttpConnectionTag>,
                                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// One HTTP/1 connection: reads requests one at a time, and answers each before it looks at the
/// next.
///
/// What is noexcept here answers and lets go. The rest takes what comes, and may throw: then the
/// connection breaks off.
///
/// Threads: one worker's. Ownership: keeps itself alive while it waits for its socket. Cost: about
/// 250 bytes besides the socket; a parser and a buffer only while a request is being read.
class Connection final : public net::Readiness,
                         public base::Timer,
                         public ConnectionHook,
                         public core::Holder,
                         private base::Turn::Waiter {
 public:
  Connection(ConnectionContext& context, net::Socket socket);
  ~Connection() override;

  /// Begins with a fresh connection.
  void start();
  /// Begins with a connection that has been somewhere else: `request` is handled first, then what
  /// was `unread`, after what was `unwritten` has gone out.
  void resume(wire::http1::Request request, std::string unread, std::string unwritten);

  /// Answers the request at hand.
  void respond(const wire::http1::Response& response) noexcept;
  /// Answers 500, if the request at hand has not been answered, because whoever was to do it threw.
  void fail() noexcept;
  /// Finds out now whether the last answer can still arrive; if not, the waiter is told.
  void settle_answer() noexcept;
  /// Begins an answer without an end. `write_stream` then appends to it, `end_stream` ends it.
  void start_stream(const wire::http1::Response& response) noexcept;
  void write_stream(std::string_view bytes) noexcept;
  void end_stream() noexcept;
  /// Bytes that the kernel has not taken yet.
  [[nodiscard]] std::size_t unwritten_bytes() const noexcept;
  /// Bytes that have been given to write, from the first of the connection on.
  [[nodiscard]] std::uint64_t given_bytes() const noexcept { return taken_ + unwritten_bytes(); }
  /// Of these: what has not left this machine, and what is not known to have arrived. Of a stream,
  /// also when it has broken.
  [[nodiscard]] net::Socket::InKernel in_flight() noexcept;
  /// Whether it is a stream that has broken.
  [[nodiscard]] bool has_broken() const noexcept { return at_its_end_ != nullptr; }

  /// `waiter` is told what becomes of the peer, until the next request.
  void watch(boost::intrusive_ptr<http::Waiter> waiter) noexcept;

  /// Lets go of the socket, with what has been read and not used.
  struct Detached {
    net::Socket socket;
    std::string unread;
    /// Earlier answers, which have to go out before anything else.
    std::string unwritten;
  };
  Detached detach() noexcept;

  /// Refuses everything from now on: an idle connection closes, a busy one after its answer.
  void drain() noexcept;
  /// Breaks the connection off.
  void abort() noexcept;

  [[nodiscard]] net::Socket& socket() noexcept { return socket_; }
  /// The socket is another visitor's now, as its proxy says.
  void visitor_changed() noexcept;
  [[nodiscard]] net::EventLoop& loop() noexcept { return context_.loop; }

 private:
  enum class State {
    reading,    // a request, or waiting for one
    busy,       // a request is being handled
    streaming,  // an answer without an end
    lingering,  // everything is said; what still comes is thrown away
    gone,       // closed or detached
  };

  struct Reading {
    explicit Reading(ConnectionContext& context)
        : parser(context.limits.request), share(context.incoming) {}
    wire::http1::RequestParser parser;
    base::ByteShare share;
  };

  void on_readable() override;
  void on_writable() override;
  void expire(base::TimePoint now) override;
  void go_on() override;
  void on_failed() noexcept override { abort(); }  // of a socket, of the timer, or in its turn
  void give_way(const core::Disconnect& why) noexcept override;
  [[nodiscard]] std::size_t unfinished_bytes() const noexcept override {
    return reading_ ? reading_->parser.body_bytes() : 0;
  }

  void read();
  void recount() noexcept;
  void wait_readable() noexcept;
  [[nodiscard]] bool has_to_wait() const noexcept;
  void look_for_arrival() noexcept;
  void peer_stopped_sending();
  void take(std::string_view bytes);
  void read_requests(std::string_view bytes);
  void dispatch(wire::http1::Request request);
  void refuse(wire::http1::ParseFailure failure) noexcept;
  void write_response(const wire::http1::Response& response) noexcept;
  void write_outbox() noexcept;
  void peer_is_gone(bool in_good_order) noexcept;
  void arm(base::Duration timeout) noexcept;
  void write(std::string bytes) noexcept;
  void write_now(std::string bytes) noexcept;
  void write_batched() noexcept;
  [[nodiscard]] std::string_view date();
  void finish_response() noexcept;
  void go_on_next_turn() noexcept;
  void linger() noexcept;
  void close() noexcept;

  ConnectionContext& context_;
  net::Socket socket_;
  State state_ = State::reading;
  bool is_waiting_readable_ = false;
  bool has_peer_stopped_ = false;
  bool is_reading_requests_ = false;
  bool is_draining_ = false;
  bool is_last_response_ = false;
  bool has_answered_ = false;
  wire::http1::ResponseContext response_context_;
  std::unique_ptr<Reading> reading_;  // while a request is being read
  std::string input_;                 // read and not used; from input_begin_ on
  std::size_t input_begin_ = 0;
  std::unique_ptr<net::Outbox> outbox_;                // never empty
  std::uint64_t taken_ = 0;                            // bytes that the kernel has
  std::unique_ptr<net::Socket::InKernel> at_its_end_;  // of a stream that has broken
  std::uint32_t lingered_bytes_ = 0;
  std::uint32_t arrival_looks_ = 0;
  boost::intrusive_ptr<http::Waiter> waiter_;
  ConnectionPtr in_line_;  // itself, while it stands in line: then nobody else may refer to it
};

/// The one answer that a request is owed, now or later. If it is dropped without having been given,
/// because whoever had it threw, the request is answered all the same: 500.
class Answer {
 public:
  explicit Answer(ConnectionPtr connection) : connection_(std::move(connection)) {}
  Answer(Answer&&) noexcept = default;
  Answer& operator=(Answer&&) = delete;
  ~Answer() {
    if (connection_) connection_->fail();
  }
  void operator()(const wire::http1::Response& response) noexcept {
    std::exchange(connection_, nullptr)->respond(response);
  }

 private:
  ConnectionPtr connection_;
};

}  // namespace fanfare::transport::http
