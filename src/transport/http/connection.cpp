#include "transport/http/connection.hpp"

#include <utility>

namespace fanfare::transport::http {

using wire::http1::Progress;
using wire::http1::Request;
using wire::http1::RequestParser;
using wire::http1::Response;
using wire::http1::ResponseContext;

namespace {

// What a client may send ahead while its request is being handled; then it has to wait.
constexpr std::size_t kAheadBytesMax = 64 * 1024;
// Handled of one connection before the others get their turn: a publisher that sends 64 KiB of
// requests at once to a channel of 10,000 would keep them waiting for longer than it takes to
// notice.
constexpr int kRequestsPerTurn = 32;
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
    : context_(context), socket_(std::move(socket)) {}

Connection::~Connection() = default;

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

void Connection::wait_readable() {
  if (is_waiting_readable_ || has_peer_stopped_ || state_ == State::gone) return;
  is_waiting_readable_ = true;
  socket_.wait_readable(this);
}

void Connection::on_readable() {
  is_waiting_readable_ = false;
  if (state_ == State::gone) return;
  const ConnectionPtr self(this);
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
  if (input_.size() - input_begin_ <= kAheadBytesMax) wait_readable();
}

void Connection::peer_stopped_sending() {
  // Nobody polls and stops sending; whoever does that has gone. But a script may send one request,
  // say that it was all, and read the answer.
  has_peer_stopped_ = true;
  // A stream has no end to wait for: its client has gone, and what is unwritten goes back.
  const bool wants_answer = state_ != State::streaming && ((state_ == State::busy && !waiter_) ||
                                                           !output_.empty() || goes_on_next_turn_);
  if (wants_answer) return;
  // A close in good order hides a reset that came after it: then the last answer was lost.
  peer_is_gone(!socket_.has_error());
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
      lingered_bytes_ += bytes.size();
      if (lingered_bytes_ > kLingerBytesMax) close();
      return;
    case State::gone:
      return;
  }
}

/// Reads requests from what is left of earlier reads and `bytes`, until a request has to wait for
/// its answer or everything is used.
void Connection::read_requests(std::string_view bytes) {
  if (std::exchange(is_reading_requests_, true)) return;  // the loop below goes on
  if (!input_.empty() && !bytes.empty()) {
    input_.erase(0, std::exchange(input_begin_, 0));
    input_.append(bytes);
    bytes = {};
  }
  bool is_input_owned = !input_.empty();
  for (int handled = 0; state_ == State::reading && output_.empty();) {
    if (handled == kRequestsPerTurn && input_begin_ < input_.size()) {
      go_on_next_turn();
      break;
    }
    const std::string_view unread =
        is_input_owned ? std::string_view(input_).substr(input_begin_) : bytes;
    if (unread.empty()) break;
    if (has_answered_) {
      // The next request proves that the last answer came through.
      has_answered_ = false;
      if (const auto waiter = std::exchange(waiter_, nullptr)) waiter->answer_arrived(true);
    }
    if (!reading_) {
      reading_ = std::make_unique<Reading>(context_);
      arm(context_.limits.header_timeout);
    }
    RequestParser& parser = reading_->parser;
    const bool had_head = parser.head_is_complete();
    const Progress progress = parser.feed(unread);
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
      ++handled;
      continue;
    }
    if (progress.state == Progress::failed) {
      refuse(parser.failure());
      break;
    }
    if (parser.body_bytes() > 0 && context_.incoming.is_exceeded()) {
      refuse({503, "too much is being sent at once; try again in a moment"});
      break;
    }
    if (progress.state == Progress::want_continue) write(std::string(wire::http1::kContinue));
    if (!parser.has_begun())
      reading_.reset();
    else if (!had_head && parser.head_is_complete())
      arm(context_.limits.body_timeout);
    if (progress.state == Progress::need_more) break;
  }
  write_batched();
  input_.append(bytes);  // what has to wait until the peer has taken an interim answer
  if (input_begin_ == input_.size()) {
    std::string().swap(input_);
    input_begin_ = 0;
  }
  is_reading_requests_ = false;
  const bool is_done = state_ == State::reading && output_.empty() && !goes_on_next_turn_;
  if (has_peer_stopped_ && is_done) linger();
}

void Connection::dispatch(Request request) {
  state_ = State::busy;
  base::Timer::cancel();
  response_context_ = ResponseContext(request);
  context_.handler.handle(this, std::move(request));
}

void Connection::refuse(wire::http1::ParseFailure failure) {
  reading_.reset();
  state_ = State::busy;
  response_context_ = {};
  respond(error_response(failure.status, failure.reason));
}

void Connection::respond(const Response& response) {
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
    write(encode(last, response_context_, date()));
  } else {
    write(encode(response, response_context_, date()));
  }
  if (state_ == State::busy && output_.empty()) finish_response();
}

std::string_view Connection::date() {
  return context_.date.at(context_.loop.clock().wall_now());
}

void Connection::finish_response() {
  if (is_last_response_) return linger();
  state_ = State::reading;
  arm(context_.limits.keep_alive_timeout);
  wait_readable();
  // Whoever answers may be in the middle of something: a session being flushed, all of them being
  // released. Requests that were sent ahead are handled when that is over.
  if (!is_reading_requests_ && (!input_.empty() || has_peer_stopped_)) go_on_next_turn();
}

void Connection::go_on_next_turn() {
  if (std::exchange(goes_on_next_turn_, true)) return;
  context_.loop.at_turn_end([self = ConnectionPtr(this)] {
    self->goes_on_next_turn_ = false;
    if (self->state_ != State::reading) return;
    self->read_requests({});
    self->wait_readable();
  });
}

void Connection::settle_answer() {
  if (state_ == State::gone || !has_answered_) return;
  // Unwritten bytes must not arrive later, beside what is sent instead of them.
  if (!output_.empty() || socket_.has_error()) abort();
}

void Connection::start_stream(const Response& response) {
  if (state_ != State::busy) return;
  state_ = State::streaming;
  response_context_.keep_alive = false;
  write(encode_stream_head(response, response_context_, date()));
}

void Connection::write_stream(std::string_view bytes) {
  if (state_ != State::streaming) return;
  write(response_context_.is_http_1_0 ? std::string(bytes) : wire::http1::encode_chunk(bytes));
}

void Connection::end_stream() {
  if (state_ != State::streaming) return;
  if (!response_context_.is_http_1_0) write(std::string(wire::http1::kLastChunk));
  if (state_ != State::streaming) return;
  is_last_response_ = true;
  state_ = State::busy;
  if (output_.empty()) linger();
}

std::size_t Connection::unwritten_bytes() const noexcept {
  return output_.size() - output_begin_;
}

void Connection::watch(boost::intrusive_ptr<Waiter> waiter) {
  waiter_ = std::move(waiter);
}

void Connection::write(std::string bytes) {
  if (!is_reading_requests_) return write_now(std::move(bytes));
  context_.batched += bytes;
}

void Connection::write_batched() {
  // The batch is of the one connection that is reading; this may be another, which that one ends.
  if (is_reading_requests_ && !context_.batched.empty()) {
    write_now(std::exchange(context_.batched, {}));
  }
}

void Connection::write_now(std::string bytes) {
  if (state_ == State::gone) return;
  std::size_t written = 0;
  if (output_.empty()) {
    const iovec part{bytes.data(), bytes.size()};
    const net::Socket::Outcome outcome = socket_.write({&part, 1});
    if (outcome.state == net::Socket::State::failed) return peer_is_gone(false);
    written = outcome.bytes;
  }
  if (written == bytes.size()) return;
  if (output_.empty()) {
    output_ = std::move(bytes);
    output_begin_ = written;
    arm(context_.limits.write_timeout);
    socket_.wait_writable(this);
  } else {
    output_.append(bytes);
  }
}

void Connection::on_writable() {
  if (state_ == State::gone || output_.empty()) return;
  const ConnectionPtr self(this);
  const iovec part{output_.data() + output_begin_, output_.size() - output_begin_};
  const net::Socket::Outcome outcome = socket_.write({&part, 1});
  if (outcome.state == net::Socket::State::failed) return peer_is_gone(false);
  output_begin_ += outcome.bytes;
  if (output_begin_ < output_.size()) {
    if (outcome.bytes > 0) arm(context_.limits.write_timeout);
    return socket_.wait_writable(this);
  }
  std::string().swap(output_);
  output_begin_ = 0;
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

void Connection::peer_is_gone(bool in_good_order) {
  if (state_ == State::gone) return;
  const ConnectionPtr self(this);
  const bool was_waiting = state_ == State::busy || state_ == State::streaming;
  const bool all_written = output_.empty();
  close();
  const auto waiter = std::exchange(waiter_, nullptr);
  if (!waiter) return;
  if (has_answered_) {
    waiter->answer_arrived(in_good_order && all_written);
  } else if (was_waiting) {
    waiter->peer_left();
  }
}

void Connection::expire(base::TimePoint /*now*/) {
  const ConnectionPtr self(this);
  if (state_ == State::reading && reading_) {
    return refuse({408, reading_->parser.head_is_complete()
                            ? "the request's body did not arrive in time"
                            : "the request's head did not arrive in time"});
  }
  if (state_ == State::reading && output_.empty()) return linger();  // idle for long enough
  peer_is_gone(/*in_good_order=*/state_ == State::lingering);
}

void Connection::arm(base::Duration timeout) {
  context_.loop.timers().arm(*this, context_.loop.clock().now() + timeout);
}

void Connection::linger() {
  write_batched();
  if (state_ == State::gone) return;
  if (!output_.empty()) return;  // on_writable() comes back here
  state_ = State::lingering;
  has_answered_ = waiter_ != nullptr;
  reading_.reset();
  socket_.shut_down_sending();
  if (has_peer_stopped_) return peer_is_gone(!socket_.has_error());
  arm(kLingerTimeout);
  wait_readable();
}

void Connection::close() {
  state_ = State::gone;
  reading_.reset();
  base::Timer::cancel();
  ConnectionHook::unlink();
  socket_.close();
}

Connection::Detached Connection::detach() {
  state_ = State::gone;
  base::Timer::cancel();
  ConnectionHook::unlink();
  waiter_.reset();
  return {std::move(socket_), input_.substr(input_begin_), std::exchange(context_.batched, {})};
}

void Connection::drain() {
  is_draining_ = true;
  if (state_ == State::streaming) return end_stream();
  if (state_ == State::reading && !reading_) linger();
}

void Connection::abort() {
  if (state_ != State::gone) peer_is_gone(false);
}

}  // namespace fanfare::transport::http
