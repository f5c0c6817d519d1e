#include "transport/http/connection.hpp"

#include <utility>

#include "base/fault.hpp"

namespace fanfare::transport::http {

using wire::http1::Progress;
using wire::http1::Request;
using wire::http1::RequestParser;
using wire::http1::Response;
using wire::http1::ResponseContext;

namespace {

// What a client may send ahead while its request is being handled; then it has to wait.
constexpr std::size_t kAheadBytesMax = 64 * 1024;
// Answers that may wait for a peer before it is asked what else it wants: it reads, or it waits.
constexpr std::size_t kAnswersBytesMax = 64 * 1024;
// Shorter bodies are copied behind their head: a system call less.
constexpr std::size_t kSharedBytesMin = 4 * 1024;
// A request with its answer, two system calls included, whatever it asks for.
constexpr base::Work kRequest = 15'000;
constexpr base::Work kWrite = 5'000;
// What a connection takes with its socket, and what Asio and the allocator add.
constexpr std::size_t kConnectionBytes = 750;
// What is allocated while a request is being read, beside its bytes.
constexpr std::size_t kReadingBytes = 600;
// A client that has closed its side before the last answer arrived may have read it or not: its
// machine says so soon.
constexpr base::Duration kArrivalLook{50};
constexpr std::uint32_t kArrivalLooksMax = 20;
// A peer that is still sending when it is refused needs a moment to see the answer: closing over
// unread bytes makes the kernel take the answer back (a reset).
constexpr base::Duration kLingerTimeout{2'000};
constexpr std::size_t kLingerBytesMax = 4 * 1024 * 1024;

Response error_response(int status, std::string_view reason) {
  Response response;
  response.status = status;
  response.headers = {{"Content-Type", "text/plain; charset=utf-8"}};
  response.body.assign(reason);
  response.body += '\n';
  response.close = true;
  return response;
}

}  // namespace

Connection::Connection(ConnectionContext& context, net::Socket socket)
    : core::Holder(context.ledger.address(socket.peer_network()), context.ledger.no_realm(),
                   /*counts_as_connection=*/true),
      context_(context),
      socket_(std::move(socket)) {
  recount();
}

Connection::~Connection() = default;

void Connection::recount() noexcept {
  std::size_t own = kConnectionBytes + input_.capacity();
  if (reading_) own += kReadingBytes + reading_->parser.kept_bytes();
  if (outbox_) own += outbox_->own_bytes();
  set_own(own);
}

void Connection::visitor_changed() noexcept {
  move_to(context_.ledger.address(socket_.peer_network()), realm_share());
}

void Connection::give_way(const core::Disconnect& why) noexcept {
  if (state_ == State::reading && reading_) return refuse({503, why.reason});
  abort();
}

void Connection::start() {
  arm(context_.limits.header_timeout);
  wait_readable();
}

void Connection::resume(Request request, std::string unread, std::string unwritten) {
  const ConnectionPtr self(this);
  input_ = std::move(unread);
  context_.batched = std::move(unwritten);
  is_reading_requests_ = true;
  dispatch(std::move(request));
  write_batched();
  is_reading_requests_ = false;
  if (state_ == State::reading) read_requests({});
  wait_readable();
}

void Connection::wait_readable() noexcept {
  if (is_waiting_readable_ || has_peer_stopped_ || state_ == State::gone) return;
  if (stands_in_line() || input_.size() - input_begin_ > kAheadBytesMax) return;
  is_waiting_readable_ = true;
  socket_.wait_readable(this);
}

void Connection::on_readable() {
  is_waiting_readable_ = false;
  if (state_ == State::gone) return;
  const ConnectionPtr self(this);
  if (context_.turn.is_over()) return go_on_next_turn();
  context_.turn.begin_slice();
  read();
}

void Connection::read() {
  const net::Socket::Outcome outcome = socket_.read(context_.scratch);
  switch (outcome.state) {
    case net::Socket::State::open:
      take({context_.scratch.data(), outcome.bytes});
      break;
    case net::Socket::State::would_block:
      break;
    case net::Socket::State::peer_left:
      return peer_stopped_sending();
    case net::Socket::State::failed:
      return peer_is_gone(false);
  }
  recount();
  wait_readable();
}

void Connection::peer_stopped_sending() {
  // Nobody polls and stops sending; whoever does that has gone. But a script may send one request,
  // say that it was all, and read the answer.
  has_peer_stopped_ = true;
  // A stream has no end to wait for: its client has gone, and what is unwritten goes back.
  const bool wants_answer = state_ != State::streaming &&
                            ((state_ == State::busy && !waiter_) || outbox_ || stands_in_line());
  if (wants_answer) return;
  look_for_arrival();
}

/// The peer has closed its side. A close in good order can hide a reset that comes after it, and
/// then the last answer was lost; as long as its machine has not said that it has all of it, nobody
/// knows.
void Connection::look_for_arrival() noexcept {
  if (socket_.has_error()) return peer_is_gone(false);
  const bool may_be_lost = waiter_ && has_answered_ && in_flight().unacknowledged > 0;
  if (!may_be_lost || arrival_looks_ == kArrivalLooksMax) return peer_is_gone(!may_be_lost);
  ++arrival_looks_;
  state_ = State::lingering;
  arm(kArrivalLook);
}

net::Socket::InKernel Connection::in_flight() noexcept {
  if (at_its_end_) return *at_its_end_;
  net::Socket::InKernel bytes = socket_.in_kernel();
  bytes.unsent += unwritten_bytes();
  bytes.unacknowledged += unwritten_bytes();
  return bytes;
}

void Connection::take(std::string_view bytes) {
  switch (state_) {
    case State::reading:
      return read_requests(bytes);
    case State::busy:
      input_.append(bytes);
      return;
    case State::streaming:
      return;  // nothing can follow a request whose answer does not end
    case State::lingering:
      lingered_bytes_ += static_cast<std::uint32_t>(bytes.size());
      if (lingered_bytes_ > kLingerBytesMax) close();
      return;
    case State::gone:
      return;
  }
}

/// Whether the next request is not to be looked at now: the peer does not read what it has asked
/// for, or others have their turn.
bool Connection::has_to_wait() const noexcept {
  return outbox_ != nullptr || context_.turn.has_to_stop();
}

/// Reads requests from what is left of earlier reads and `bytes`, until a request has to wait for
/// its answer, or the others for their turn, or everything is used.
void Connection::read_requests(std::string_view bytes) {
  if (std::exchange(is_reading_requests_, true)) return;  // the loop below goes on
  if (!input_.empty() && !bytes.empty()) {
    input_.erase(0, std::exchange(input_begin_, 0));
    input_.append(bytes);
    bytes = {};
  }
  bool is_input_owned = !input_.empty();
  while (state_ == State::reading) {
    if (context_.batched.size() > kAnswersBytesMax) write_batched();
    if (has_to_wait()) break;
    const std::string_view unread =
        is_input_owned ? std::string_view(input_).substr(input_begin_) : bytes;
    if (unread.empty()) break;
    if (has_answered_) {
      // The next request proves that the last answer came through.
      has_answered_ = false;
      if (const auto waiter = std::exchange(waiter_, nullptr)) waiter->answer_arrived(true);
    }
    if (!reading_) reading_ = std::make_unique<Reading>(context_);
    FANFARE_MAY_THROW("the reading of a request");
    RequestParser& parser = reading_->parser;
    const bool had_begun = parser.has_begun();
    const bool had_head = parser.head_is_complete();
    const Progress progress = parser.feed(unread);
    context_.turn.spend(progress.consumed);
    reading_->share.set(parser.body_bytes());
    const std::string_view rest = unread.substr(progress.consumed);
    if (is_input_owned) {
      input_begin_ += progress.consumed;
    } else if (!rest.empty()) {
      input_.assign(rest);
      is_input_owned = true;
    }
    bytes = {};
    if (progress.state == Progress::complete) {
      Request request = parser.take_request();
      reading_.reset();
      dispatch(std::move(request));
      continue;
    }
    if (progress.state == Progress::failed) {
      refuse(parser.failure());
      break;
    }
    if (parser.body_bytes() > 0 && context_.incoming.is_exceeded()) {
      context_.ledger.shed_unfinished();
    }
    if (progress.state == Progress::want_continue) write(std::string(wire::http1::kContinue));
    // Blank lines between requests (RFC 9112 section 2.2) begin nothing, so they earn no time.
    if (!parser.has_begun())
      reading_.reset();
    else if (!had_head && parser.head_is_complete())
      arm(context_.limits.body_timeout);
    else if (!had_begun)
      arm(context_.limits.header_timeout);
    if (progress.state == Progress::need_more) break;
  }
  write_batched();
  input_.append(bytes);  // what has to wait until the peer has taken an answer
  if (input_begin_ == input_.size()) {
    std::string().swap(input_);
    input_begin_ = 0;
  }
  is_reading_requests_ = false;
  const bool has_more = !input_.empty() && state_ == State::reading;
  if (has_more && !outbox_ && context_.turn.has_to_stop()) go_on_next_turn();
  recount();
  const bool is_done = state_ == State::reading && !outbox_ && !stands_in_line();
  if (has_peer_stopped_ && is_done) linger();
}

void Connection::dispatch(Request request) {
  state_ = State::busy;
  base::Timer::cancel();
  context_.turn.spend(kRequest);
  response_context_ = ResponseContext(request);
  FANFARE_MAY_THROW("a request");
  context_.handler.handle(this, std::move(request));
}

void Connection::refuse(wire::http1::ParseFailure failure) noexcept {
  const ConnectionPtr self(this);
  reading_.reset();
  std::string().swap(input_);
  input_begin_ = 0;
  state_ = State::busy;
  response_context_ = {};
  respond(error_response(failure.status, failure.reason));
}

void Connection::respond(const Response& response) noexcept {
  const ConnectionPtr self(this);
  if (state_ != State::busy) {  // the peer has gone meanwhile
    if (const auto waiter = std::exchange(waiter_, nullptr)) waiter->answer_arrived(false);
    return;
  }
  has_answered_ = true;
  is_last_response_ = is_draining_ || !keeps_connection(response, response_context_);
  if (is_last_response_ && !response.close) {
    Response last = response;
    last.close = true;
    write_response(last);
  } else {
    write_response(response);
  }
  if (state_ == State::busy && !outbox_) finish_response();
}

void Connection::write_response(const Response& response) noexcept {
  const bool has_parts = response.shared_body && response.shared_body->size() >= kSharedBytesMin &&
                         !response_context_.head_only && wire::http1::has_body(response.status);
  if (!has_parts) return write(encode(response, response_context_, date()));
  write(encode_head(response, response_context_, date()) + response.body);
  write_batched();
  if (state_ == State::gone) return;
  const bool was_empty = !outbox_;
  if (was_empty) outbox_ = std::make_unique<net::Outbox>();
  outbox_->push(response.shared_body);
  outbox_->push(response.body_end);
  if (was_empty) write_outbox();
}

/// Writes what a new outbox holds; what is left waits for the peer.
void Connection::write_outbox() noexcept {
  const net::Socket::Outcome outcome = outbox_->write_some(socket_);
  if (outcome.state == net::Socket::State::failed) return peer_is_gone(false);
  taken_ += outcome.bytes;
  if (outbox_->is_empty()) return outbox_.reset();
  arm(context_.limits.write_timeout);
  socket_.wait_writable(this);
  recount();
}

void Connection::fail() noexcept {
  if (state_ == State::busy && !has_answered_)
    respond(error_response(500, "something went wrong here; try again"));
}

std::string_view Connection::date() {
  return context_.date.at(context_.loop.clock().wall_now());
}

void Connection::finish_response() noexcept {
  if (is_last_response_) return linger();
  state_ = State::reading;
  arm(context_.limits.keep_alive_timeout);
  wait_readable();
  // Whoever answers may be in the middle of something: a session being flushed, all of them being
  // released. Requests that were sent ahead are handled when that is over.
  if (!is_reading_requests_ && (!input_.empty() || has_peer_stopped_)) go_on_next_turn();
}

void Connection::go_on_next_turn() noexcept {
  in_line_ = this;
  context_.turn.wait(*this, address().network());
}

void Connection::go_on() {
  // Kept beyond the end of what may throw: nobody else may refer to it.
  const ConnectionPtr self = std::exchange(in_line_, nullptr);
  attempt("a connection that had to wait", [this] {
    FANFARE_MAY_THROW("a connection that had to wait");
    if (state_ == State::gone) return;
    if (state_ == State::reading && (!input_.empty() || has_peer_stopped_)) {
      read_requests({});
    } else if (!is_waiting_readable_ && !has_peer_stopped_) {
      // Its turn has come, and the next may be over before it is seen to be readable.
      return read();
    }
    wait_readable();
  });
}

void Connection::settle_answer() noexcept {
  if (state_ == State::gone || !has_answered_) return;
  // What has not left must not arrive later, beside what is sent instead of it.
  if (in_flight().unsent > 0 || socket_.has_error()) abort();
}

void Connection::start_stream(const Response& response) noexcept {
  if (state_ != State::busy) return;
  state_ = State::streaming;
  response_context_.keep_alive = false;
  write(encode_stream_head(response, response_context_, date()));
}

void Connection::write_stream(std::string_view bytes) noexcept {
  if (state_ != State::streaming) return;
  write(response_context_.is_http_1_0 ? std::string(bytes) : wire::http1::encode_chunk(bytes));
}

void Connection::end_stream() noexcept {
  if (state_ != State::streaming) return;
  if (!response_context_.is_http_1_0) write(std::string(wire::http1::kLastChunk));
  if (state_ != State::streaming) return;
  is_last_response_ = true;
  state_ = State::busy;
  if (!outbox_) linger();
}

std::size_t Connection::unwritten_bytes() const noexcept {
  return outbox_ ? outbox_->bytes() : 0;
}

void Connection::watch(boost::intrusive_ptr<http::Waiter> waiter) noexcept {
  waiter_ = std::move(waiter);
}

void Connection::write(std::string bytes) noexcept {
  if (!is_reading_requests_) return write_now(std::move(bytes));
  context_.batched += bytes;
}

void Connection::write_batched() noexcept {
  // The batch is of the one connection that is reading; this may be another, which that one ends.
  if (is_reading_requests_ && !context_.batched.empty()) {
    write_now(std::exchange(context_.batched, {}));
  }
}

void Connection::write_now(std::string bytes) noexcept {
  if (state_ == State::gone) return;
  std::size_t written = 0;
  if (!outbox_) {
    const iovec part{bytes.data(), bytes.size()};
    const net::Socket::Outcome outcome = socket_.write({&part, 1});
    if (outcome.state == net::Socket::State::failed) return peer_is_gone(false);
    written = outcome.bytes;
    taken_ += written;
    if (written == bytes.size()) return;
    outbox_ = std::make_unique<net::Outbox>();
    arm(context_.limits.write_timeout);
    socket_.wait_writable(this);
  }
  outbox_->push(std::move(bytes), written);
  recount();
}

void Connection::on_writable() {
  if (state_ == State::gone || !outbox_) return;
  const ConnectionPtr self(this);
  context_.turn.begin_slice();
  context_.turn.spend(kWrite);
  const net::Socket::Outcome outcome = outbox_->write_some(socket_);
  if (outcome.state == net::Socket::State::failed) return peer_is_gone(false);
  taken_ += outcome.bytes;
  if (!outbox_->is_empty()) {
    if (outcome.bytes > 0) arm(context_.limits.write_timeout);
    recount();
    return socket_.wait_writable(this);
  }
  outbox_.reset();
  recount();
  base::Timer::cancel();
  // An interim answer (100 Continue) or a stream goes on; an answer is complete now.
  if (state_ == State::busy && has_answered_) return finish_response();
  if (state_ == State::busy && is_last_response_) return linger();
  if (state_ == State::reading) {
    arm(context_.limits.body_timeout);
    read_requests({});
    wait_readable();
  }
  if (state_ == State::streaming && waiter_) waiter_->stream_written();
}

void Connection::peer_is_gone(bool in_good_order) noexcept {
  if (state_ == State::gone) return;
  const ConnectionPtr self(this);
  const bool was_waiting = state_ == State::busy || state_ == State::streaming;
  // What never left must not leave after all, when somebody sends it again.
  const net::Socket::InKernel left = waiter_ ? in_flight() : net::Socket::InKernel{};
  const bool has_unsent = left.unsent > 0;
  if (state_ == State::streaming) at_its_end_ = std::make_unique<net::Socket::InKernel>(left);
  if (has_unsent) socket_.reset();
  // If it is this connection that was reading, the batch is its own, and must not go to the next.
  if (std::exchange(is_reading_requests_, false)) context_.batched.clear();
  close();
  const auto waiter = std::exchange(waiter_, nullptr);
  if (waiter && has_answered_) {
    waiter->answer_arrived(in_good_order && !has_unsent);
  } else if (waiter && was_waiting) {
    waiter->peer_left();
  }
  outbox_.reset();
}

void Connection::expire(base::TimePoint /*now*/) {
  const ConnectionPtr self(this);
  if (state_ == State::reading && reading_) {
    return refuse({408, reading_->parser.head_is_complete()
                            ? "the request's body did not arrive in time"
                            : "the request's head did not arrive in time"});
  }
  if (state_ == State::reading && !outbox_) return linger();  // idle for long enough
  if (arrival_looks_ > 0) return look_for_arrival();
  peer_is_gone(/*in_good_order=*/state_ == State::lingering);
}

void Connection::arm(base::Duration timeout) noexcept {
  context_.loop.timers().arm(*this, context_.loop.clock().now() + timeout);
}

void Connection::linger() noexcept {
  write_batched();
  if (state_ == State::gone) return;
  if (outbox_) return;  // on_writable() comes back here
  state_ = State::lingering;
  has_answered_ = waiter_ != nullptr;
  reading_.reset();
  socket_.shut_down_sending();
  if (has_peer_stopped_) return look_for_arrival();
  arm(kLingerTimeout);
  wait_readable();
}

void Connection::close() noexcept {
  const ConnectionPtr self(this);
  state_ = State::gone;
  reading_.reset();
  std::string().swap(input_);
  base::Timer::cancel();
  leave_line();
  in_line_.reset();
  ConnectionHook::unlink();
  socket_.close();
  core::Holder::leave();
}

Connection::Detached Connection::detach() noexcept {
  const ConnectionPtr self(this);
  state_ = State::gone;
  base::Timer::cancel();
  leave_line();
  in_line_.reset();
  ConnectionHook::unlink();
  core::Holder::leave();
  waiter_.reset();
  return {std::move(socket_), input_.substr(input_begin_), std::exchange(context_.batched, {})};
}

void Connection::drain() noexcept {
  is_draining_ = true;
  const ConnectionPtr self(this);
  if (state_ == State::streaming && waiter_)
    return boost::intrusive_ptr<http::Waiter>(waiter_)->stream_has_to_end();
  if (state_ == State::streaming) return end_stream();
  if (state_ == State::reading && !reading_) linger();
}

void Connection::abort() noexcept {
  if (state_ != State::gone) peer_is_gone(false);
}

}  // namespace fanfare::transport::http
