#include "transport/websocket/connection.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/fault.hpp"
#include "protocol/bayeux/replies.hpp"
#include "protocol/bayeux/session.hpp"

namespace fanfare::transport::websocket {

using protocol::bayeux::Form;
using protocol::bayeux::Session;
using protocol::bayeux::SessionId;
using wire::websocket::Event;
using wire::websocket::Opcode;

namespace {

// Our answer to a held connect, after as long as a ping by default, makes a Bayeux client speak.
// Who has spoken need not be pinged, which halves the cost of an idle client.
constexpr base::Duration kHeartbeatGrace{1'000};
// A peer that is still sending when we close needs a moment to see our last frame.
constexpr base::Duration kLingerTimeout{2'000};
// A slow peer may finish the frame that it has begun to read, and learn why it is closed.
constexpr base::Duration kCloseTimeout{10'000};
// What a client may send ahead while one of its messages waits for other workers.
constexpr std::size_t kAheadBytesMax = 64 * 1024;
// Replies that may wait for a peer before we stop reading what it asks: it reads, or it waits.
constexpr std::size_t kRepliesBytesMax = 64 * 1024;
// Shorter messages gain nothing worth the time: a header, and 6 µs to compress.
constexpr std::size_t kDeflateBytesMin = 256;
// Longer ones go as they are: 128 KiB take 5 ms to compress, and the others wait meanwhile.
constexpr std::size_t kDeflateBytesMax = 128 * 1024;
constexpr base::Work kDeflatedByte = 37;
constexpr base::Work kEncodedByte = 1;
// Reading a frame, beside what is done with its message: unmasking, checking, inflating.
constexpr base::Work kFrame = 300;
constexpr base::Work kReadByte = 2;
// One read, or one wait for its turn.
constexpr base::Work kRead = 1'500;
constexpr base::Work kWrite = 5'000;
constexpr base::Duration kSentLooksEvery{1'000};
// What a connection takes with its socket, and what Asio and the allocator add.
constexpr std::size_t kConnectionBytes = 560;
// Parts handed to the kernel in one call.
constexpr std::size_t kPartsMax = 16;

/// A text frame around "[elements]", without copying the elements twice.
std::string array_frame(std::string_view elements) {
  std::string frame(wire::websocket::kServerHeaderBytesMax, '\0');
  const std::size_t header =
      wire::websocket::write_header(frame.data(), Opcode::text, elements.size() + 2);
  frame.resize(header);
  frame.reserve(header + elements.size() + 2);
  frame += '[';
  frame += elements;
  frame += ']';
  return frame;
}

}  // namespace

Connection::Connection(ConnectionContext& context, net::Socket socket, core::RealmPtr realm,
                       Compression compression)
    : core::Holder(context.service.ledger().address(socket.peer_network()),
                   context.service.ledger().realm(realm), /*counts_as_connection=*/true),
      context_(context),
      socket_(std::move(socket)),
      reader_(
          {.message_bytes_max = context.limits.message_bytes_max, .deflate = compression.inflates}),
      compression_(compression),
      opened_(context.loop.clock().now()),
      last_heard_(opened_) {
  recount();
}

Connection::~Connection() {
  // Messages that were being carried out when it went may have tied their sessions to it, and after
  // something threw it may not have gone at all: no session may be left with a stream that is not
  // there. Those that refer to it meanwhile must not destroy it a second time.
  add_reference();
  if (state_ != State::gone) peer_is_gone();
  leave_all();
}

void Connection::recount() noexcept {
  std::size_t own = kConnectionBytes + unfinished_;
  std::size_t shared = 0;
  if (ahead_) own += sizeof(Ahead) + ahead_->bytes.capacity();
  if (sent_) own += sent_->own_bytes();
  if (outbox_) {
    own += outbox_->own_bytes + outbox_->items.size() * sizeof(Outbox::Item);
    shared = outbox_->bytes - outbox_->own_bytes;
  }
  set_own(own);
  set_shared(shared);
}

void Connection::forget_input() noexcept {
  reader_ = wire::websocket::MessageReader(
      {.message_bytes_max = context_.limits.message_bytes_max, .deflate = compression_.inflates});
  ahead_.reset();
  count_unfinished();
}

void Connection::give_way(const core::Disconnect& why) noexcept {
  if (state_ == State::closing) return peer_is_gone();
  close(why);
}

void Connection::start(std::string answer, std::string unread) {
  const ConnectionPtr self(this);
  arm_ping();
  write(std::move(answer));
  if (!unread.empty()) read_frames(unread);
  wait_readable();
}

void Connection::resume(Moving moving) {
  const ConnectionPtr self(this);
  arm_ping();
  if (!moving.unwritten.empty()) write(std::move(moving.unwritten));
  is_reading_ = true;
  take_message(moving.message, moving.unread);
  write_batched();
  is_reading_ = false;
  if (!moving.unread.empty()) read_frames(moving.unread);
  wait_readable();
}

void Connection::wait_readable() noexcept {
  if (is_waiting_readable_ || state_ == State::gone) return;
  if (ahead_ && (ahead_->stands_in_line() || ahead_->bytes.size() > kAheadBytesMax)) return;
  if (has_replies_waiting() && state_ == State::open) return;  // on_writable() goes on
  is_waiting_readable_ = true;
  socket_.wait_readable(this);
}

/// Whether the peer asks and does not read what it is told.
bool Connection::has_replies_waiting() const noexcept {
  return outbox_ != nullptr && outbox_->own_bytes > kRepliesBytesMax;
}

void Connection::on_readable() {
  is_waiting_readable_ = false;
  if (state_ == State::gone) return;
  const ConnectionPtr self(this);
  base::Turn& turn = context_.service.turn();
  if (turn.is_over()) return go_on_later();
  turn.begin_slice();
  read();
}

void Connection::read() {
  context_.service.turn().spend(kRead);
  const net::Socket::Outcome outcome = socket_.read(context_.scratch);
  if (outcome.state == net::Socket::State::peer_left ||
      outcome.state == net::Socket::State::failed) {
    is_broken_ = true;
    return peer_is_gone();
  }
  if (outcome.bytes > 0) {
    last_heard_ = context_.loop.clock().now();
    was_pinged_ = false;
    if (state_ == State::open) read_frames(context_.scratch.first(outcome.bytes));
  }
  wait_readable();
}

/// Stands in line; what has been read goes on when it is this peer's turn.
void Connection::go_on_later() noexcept {
  if (!ahead_) ahead_ = std::make_unique<Ahead>(*this);
  ahead_->in_line = this;
  context_.service.turn().wait(*ahead_, address().network());
}

void Connection::Ahead::go_on() {
  // Kept beyond the end of what may throw: nobody else may refer to it.
  const ConnectionPtr self = std::exchange(in_line, nullptr);
  self->attempt("a WebSocket that had to wait", [&self] {
    FANFARE_MAY_THROW("a WebSocket that had to wait");
    self->go_on();
  });
}

void Connection::go_on() {
  const ConnectionPtr self(this);
  if (is_busy_ || state_ != State::open) return wait_readable();
  std::string bytes;
  if (ahead_) bytes = std::move(std::exchange(ahead_, nullptr)->bytes);
  if (!bytes.empty()) {
    read_frames(bytes);
  } else if (!is_waiting_readable_) {
    // Its turn has come, and the next may be over before it is seen to be readable.
    return read();
  }
  wait_readable();
}

void Connection::keep_ahead(std::span<const char> bytes) noexcept {
  if (bytes.empty()) return;
  if (!ahead_) ahead_ = std::make_unique<Ahead>(*this);
  ahead_->bytes.append(bytes.data(), bytes.size());
}

void Connection::read_frames(std::span<char> bytes) {
  if (is_busy_ || (ahead_ && !ahead_->bytes.empty())) {
    keep_ahead(bytes);
    return recount();
  }
  base::Turn& turn = context_.service.turn();
  is_reading_ = true;
  while (state_ == State::open && !is_busy_) {
    FANFARE_MAY_THROW("the reading of a frame");
    if (context_.batched.size() > kRepliesBytesMax) write_batched();
    if (has_replies_waiting()) break;
    if (turn.has_to_stop()) {
      go_on_later();
      break;
    }
    const Event event = reader_.next(bytes, &context_.inflater);
    turn.spend(kFrame + event.payload.size() * kReadByte);
    if (event.kind == Event::need_more) break;
    handle(event, bytes);
  }
  if (state_ == State::open) keep_ahead(bytes);
  write_batched();
  is_reading_ = false;
  count_unfinished();
  recount();
}

void Connection::handle(const Event& event, std::span<char> unread) {
  switch (event.kind) {
    // Faye's server reads binary frames as text, and so do we.
    case Event::text:
    case Event::binary:
      return take_message(event.payload, unread);
    case Event::ping:
      return write(wire::websocket::encode_frame(Opcode::pong, event.payload));
    case Event::close:
      return close(event.code, {});
    case Event::violation:
      return close(event.code, event.payload);
    case Event::pong:
    case Event::need_more:
      return;
  }
}

/// Whoever begins a message has so long to end it; and together they may hold so much.
void Connection::count_unfinished() {
  const auto now = static_cast<std::uint32_t>(reader_.unfinished_bytes());
  context_.incoming.add(std::size_t{now} - unfinished_);  // or less: it wraps
  unfinished_ = now;
  if (reader_.is_between_messages()) {
    message_deadline_ = base::TimePoint::max();
  } else if (message_deadline_ == base::TimePoint::max()) {
    message_deadline_ = context_.loop.clock().now() + context_.limits.message_timeout;
    if (state_ == State::open) arm_ping();
  }
  if (unfinished_ > 0 && context_.incoming.is_exceeded()) {
    context_.service.ledger().shed_unfinished();
  }
}

void Connection::take_message(std::string_view text, std::span<char> unread) {
  const auto messages = context_.service.parse(*realm(), text);
  if (!messages) {
    const bool is_too_large = messages.error().code == base::Errc::too_large;
    return close(is_too_large ? wire::websocket::kMessageTooBig : wire::websocket::kInvalidPayload,
                 messages.error().detail);
  }
  if (messages->empty()) {
    // Faye's keep-alive, in a frame of its own. Who sends it means to use the connection.
    opened_ = context_.loop.clock().now();
    return write(array_frame({}));
  }
  if (const auto worker = context_.service.elsewhere(*messages))
    return move_to(*worker, text, unread);
  is_busy_ = true;
  FANFARE_MAY_THROW("a frame with messages");
  context_.service.handle(realm(), *messages, this);
}

void Connection::answer(std::string_view elements,
                        const protocol::bayeux::Deliveries& /*deliveries*/) noexcept {
  const ConnectionPtr self(this);
  is_busy_ = false;
  has_had_session_ = has_had_session_ || has_sessions();
  if (!elements.empty()) reply(elements);
  if (is_reading_ || state_ != State::open) return;
  // Not here: whoever answers is in the middle of something.
  if (ahead_) return go_on_later();
  wait_readable();
}

void Connection::hold(Session& /*session*/) noexcept {}

void Connection::move_to(core::WorkerIndex worker, std::string_view text, std::span<char> unread) {
  const ConnectionPtr self(this);
  FANFARE_MAY_THROW("a WebSocket that moves");
  supersede_all();  // the sessions stay here; the answers travel along
  Moving moving{
      {}, realm(), compression_, std::string(text), std::string(unread.data(), unread.size()), {}};
  if (outbox_) {
    // Our own frames go along, and what is left of a bundle that was begun; bundles that were not
    // stay with their sessions.
    for (Outbox::Item& item : outbox_->items) {
      if (!item.bundle || item.written > 0) moving.unwritten += bytes_of(item).substr(item.written);
      if (item.written > 0) item.bundle.reset();
    }
    std::erase_if(outbox_->items, [](const Outbox::Item& item) { return !item.bundle; });
    if (outbox_->items.empty()) outbox_.reset();
  }
  moving.unwritten += std::exchange(context_.batched, {});
  state_ = State::gone;
  base::Timer::cancel();
  ConnectionHook::unlink();
  sent_.reset();  // the sessions stay, but the client has asked for this move: it is there
  leave_all();
  forget_input();
  core::Holder::leave();
  moving.socket = socket_.release();
  context_.move(worker, std::move(moving));
}

std::string_view Connection::frame_of(core::Bundle& bundle) {
  const bool is_deflated = compression_.deflates && bundle.bytes() >= kDeflateBytesMin &&
                           bundle.bytes() <= kDeflateBytesMax;
  if (is_deflated) return deflated_frame_of(bundle);
  return bundle.form(static_cast<std::size_t>(Form::websocket_frame), [&](std::string& form) {
    form = array_frame(protocol::bayeux::deliveries(bundle));
    context_.service.turn().spend(form.size() * kEncodedByte);
  });
}

std::string_view Connection::deflated_frame_of(core::Bundle& bundle) {
  const auto make = [&](std::string& form) {
    std::string array("[");
    array.append(protocol::bayeux::deliveries(bundle)).append("]");
    const std::string payload = context_.deflater.compress(array);
    context_.service.turn().spend(array.size() * kDeflatedByte);
    // What is random already grows; it goes as it is.
    const bool is_smaller = payload.size() < array.size();
    form = is_smaller ? wire::websocket::encode_frame(Opcode::text, payload, /*rsv1=*/true)
                      : wire::websocket::encode_frame(Opcode::text, array);
  };
  return bundle.form(static_cast<std::size_t>(Form::websocket_deflated), make);
}

std::string_view Connection::bytes_of(Outbox::Item& item) {
  return item.bundle ? frame_of(*item.bundle) : std::string_view(item.own);
}

std::size_t Connection::write_now(std::string_view bytes) {
  if (outbox_) return 0;
  const iovec part{const_cast<char*>(bytes.data()),
                   bytes.size()};  // the POSIX type lacks the const
  const std::size_t written = socket_.write({&part, 1}).bytes;
  written_ += written;
  return written;
}

void Connection::send(Session& from, const core::BundlePtr& bundle) noexcept {
  if (state_ != State::open) {  // bound by a message that came with the one that closed us
    from.requeue(bundle);
    return from.leave_outlet();
  }
  if (is_reading_) write_batched();  // replies that came before
  const std::string_view frame = frame_of(*bundle);
  const std::size_t written = write_now(frame);
  if (written < frame.size())
    return enqueue({bundle, from.id(), {}, written}, frame.size() - written);
  note_sent(bundle, from.id(), written_);
}

void Connection::note_sent(const core::BundlePtr& bundle, const SessionId& of,
                           std::uint64_t end) noexcept {
  if (!sent_) [[unlikely]]
    begin_to_note_sent();
  sent_->add(bundle, of, end);
  if (sent_->is_due()) [[unlikely]]
    sent_->look(written_, socket_.unacknowledged_bytes());
}

void Connection::begin_to_note_sent() noexcept {
  sent_ = std::make_unique<Sent>(*this);
  context_.sent_looks.add(*sent_);
}

void Connection::look_at_sent() noexcept {
  if (!sent_->is_empty()) sent_->look(written_, socket_.unacknowledged_bytes());
  if (sent_->is_empty()) return sent_.reset();
  recount();
}

delivery::InKernel Connection::in_kernel() noexcept {
  const net::Socket::InKernel bytes = socket_.in_kernel();
  // What is unsent now leaves in the next moment, unless the peer is not there any more.
  return {is_broken_ || socket_.is_silent() ? bytes.unsent : 0, bytes.unacknowledged};
}

/// Gives back to the session what has certainly not arrived whole. Returns whether there was any:
/// then the kernel must not send it either.
bool Connection::take_back_sent(const SessionId& of) noexcept {
  if (!sent_) return false;
  Session* const session = context_.service.find(*realm(), of);
  bool was_unsent = false;
  context_.uncertain += sent_->take(of, written_, in_kernel(), [&](const core::BundlePtr& bundle) {
    was_unsent = true;
    if (session != nullptr) session->requeue(bundle);
  });
  return was_unsent;
}

void SentLooks::add(Sent& sent) noexcept {
  all_.push_back(sent);
  if (!is_armed()) timers_.arm(*this, clock_.now() + kSentLooksEvery);
}

void SentLooks::expire(base::TimePoint now) {
  // Some of them at a time: each is two system calls.
  constexpr int kLooksMax = 2'000;
  for (int left = kLooksMax; left > 0 && !all_.empty(); --left) {
    Sent& next = all_.front();
    if (next.looked_at == now) break;
    next.looked_at = now;
    all_.splice(all_.end(), all_, all_.begin());
    next.connection.look_at_sent();  // may destroy it
  }
  if (!all_.empty()) timers_.arm(*this, now + kSentLooksEvery / 4);
}

void SentLooks::on_failed() noexcept {
  timers_.arm(*this, clock_.now() + kSentLooksEvery);
}

void Connection::reply(std::string_view elements) noexcept {
  if (state_ == State::open) write(array_frame(elements));
}

void Connection::write(std::string frame) noexcept {
  if (state_ == State::gone) return;
  if (!is_reading_) return write_or_keep(std::move(frame));
  context_.batched += frame;
}

void Connection::write_batched() noexcept {
  // The batch is of the one connection that is reading; this may be another, which that one closes.
  if (is_reading_ && !context_.batched.empty()) {
    write_or_keep(std::exchange(context_.batched, {}));
  }
}

void Connection::write_or_keep(std::string frame) noexcept {
  if (state_ == State::gone) return;
  const std::size_t written = write_now(frame);
  if (written == frame.size()) return;
  const std::size_t left = frame.size() - written;
  enqueue({nullptr, {}, std::move(frame), written}, left);
}

void Connection::enqueue(Outbox::Item item, std::size_t bytes) noexcept {
  const bool was_empty = !outbox_;
  if (was_empty) outbox_ = std::make_unique<Outbox>();
  if (!item.bundle) outbox_->own_bytes += bytes;
  outbox_->items.push_back(std::move(item));
  outbox_->bytes += bytes;
  recount();
  if (was_empty) return socket_.wait_writable(this);
  if (state_ == State::open && outbox_->bytes > realm()->limits.outbox_bytes_max)
    close(core::kSlowConsumer);
}

void Connection::on_writable() {
  if (state_ == State::gone) return;
  const ConnectionPtr self(this);
  context_.service.turn().begin_slice();
  context_.service.turn().spend(kWrite);
  // Emptied meanwhile by one session that went; the others may have kept messages back.
  if (!outbox_) return flush_sessions();
  std::array<iovec, kPartsMax> parts{};
  std::size_t count = 0;
  for (Outbox::Item& item : outbox_->items) {
    if (count == parts.size()) break;
    const std::string_view bytes = bytes_of(item).substr(item.written);
    parts[count++] = {const_cast<char*>(bytes.data()),
                      bytes.size()};  // the POSIX type lacks the const
  }
  const net::Socket::Outcome outcome = socket_.write(std::span(parts).first(count));
  if (outcome.state == net::Socket::State::failed) {
    is_broken_ = true;
    return peer_is_gone();
  }
  std::size_t written = outcome.bytes;
  written_ += written;
  outbox_->bytes -= written;
  // Where the item at hand ends in the stream.
  std::uint64_t end = written_ - written;
  while (!outbox_->items.empty()) {
    Outbox::Item& first = outbox_->items.front();
    const std::size_t left = bytes_of(first).size() - first.written;
    const std::size_t part = std::min(written, left);
    if (!first.bundle) outbox_->own_bytes -= part;
    if (part < left) {
      first.written += part;
      recount();
      return socket_.wait_writable(this);
    }
    written -= left;
    end += left;
    if (first.bundle) note_sent(first.bundle, first.of, end);
    outbox_->items.pop_front();
  }
  outbox_.reset();
  recount();
  if (state_ == State::closing) return linger();
  flush_sessions();
  if (state_ == State::open && !is_busy_) go_on();
}

void Connection::give_back(Session& session) noexcept {
  const ConnectionPtr self(this);
  // While we close, what the peer has begun to get may still come through; see peer_is_gone().
  const bool keeps_begun = state_ == State::closing;
  bool is_half_written = false;
  if (outbox_) {
    const auto goes_back = [&](const Outbox::Item& item) {
      return item.bundle && item.of == session.id() && (item.written == 0 || !keeps_begun);
    };
    for (auto item = outbox_->items.rbegin(); item != outbox_->items.rend(); ++item) {
      if (!goes_back(*item)) continue;
      session.requeue(item->bundle);
      is_half_written = is_half_written || item->written > 0;
    }
    std::erase_if(outbox_->items, goes_back);
    outbox_->bytes = 0;
    for (Outbox::Item& item : outbox_->items)
      outbox_->bytes += bytes_of(item).size() - item.written;
    if (outbox_->items.empty()) outbox_.reset();
    recount();
  }
  if (keeps_begun) return session.answered_by(this);  // settle() looks at it again
  const bool has_unsent = take_back_sent(session.id());
  if (is_half_written || has_unsent) peer_is_gone();
}

void Connection::settle_goodbye() noexcept {
  if (state_ != State::closing) return;
  if (socket_.is_silent()) return peer_is_gone();
  // Its peer reads on: what the kernel has will arrive there.
  sent_.reset();
}

void Connection::end(const core::Disconnect& why) noexcept {
  // A client that disconnects closes its socket itself once it has our answer.
  if (why.close_code != wire::websocket::kNormalClosure) close(why);
}

void Connection::close(const core::Disconnect& why) noexcept {
  close(why.close_code, why.reason);
}

void Connection::close(wire::websocket::CloseCode code, std::string_view reason) noexcept {
  if (state_ != State::open) return;
  const ConnectionPtr self(this);
  // The reason may be the reader's own.
  std::string frame = wire::websocket::encode_close(code, reason);
  state_ = State::closing;
  leave_all();
  forget_input();
  write(std::move(frame));
  write_batched();
  if (!outbox_) return linger();
  context_.loop.timers().arm(*this, context_.loop.clock().now() + kCloseTimeout);
}

void Connection::linger() noexcept {
  socket_.shut_down_sending();
  context_.loop.timers().arm(*this, context_.loop.clock().now() + kLingerTimeout);
  wait_readable();
}

void Connection::peer_is_gone() noexcept {
  if (state_ == State::gone) return;
  const ConnectionPtr self(this);
  const bool was_closing = state_ == State::closing;
  const bool has_unsent = sent_ && in_kernel().unsent > 0;
  state_ = State::gone;
  // If it is this connection that was reading, the batch is its own, and must not go to the next.
  if (std::exchange(is_reading_, false)) context_.batched.clear();
  base::Timer::cancel();
  ConnectionHook::unlink();
  leave_all();
  if (was_closing) take_back_what_was_left();
  // What was taken back must not leave after all.
  if (has_unsent) {
    socket_.reset();
  } else {
    socket_.close();
  }
  forget_input();
  sent_.reset();
  core::Holder::leave();
}

/// What sessions left behind while we closed has not come through after all.
void Connection::take_back_what_was_left() noexcept {
  if (const auto outbox = std::exchange(outbox_, nullptr)) {
    for (auto item = outbox->items.rbegin(); item != outbox->items.rend(); ++item) {
      if (!item->bundle) continue;
      if (Session* const session = context_.service.find(*realm(), item->of))
        session->requeue(item->bundle);
    }
  }
  while (sent_ && !sent_->is_empty()) take_back_sent(SessionId(sent_->newest_owner()));
}

void Connection::arm_ping() {
  const base::TimePoint ping =
      last_heard_ + context_.limits.ping_interval * (was_pinged_ ? 2 : 1) + kHeartbeatGrace;
  context_.loop.timers().arm(*this, std::min(ping, message_deadline_));
}

void Connection::expire(base::TimePoint now) {
  const ConnectionPtr self(this);
  if (state_ == State::closing) return peer_is_gone();
  if (now >= message_deadline_)
    return close(wire::websocket::kPolicyViolation, "a message was begun and did not end in time");
  const auto silence = now - last_heard_ - kHeartbeatGrace;
  if (silence >= 2 * context_.limits.ping_interval) return peer_is_gone();
  if (silence >= context_.limits.ping_interval && !was_pinged_) {
    was_pinged_ = true;
    write(wire::websocket::encode_frame(Opcode::ping, {}));
  }
  const bool is_unused = !has_had_session_ && now >= opened_ + context_.limits.unused_timeout;
  if (is_unused) return close(wire::websocket::kNormalClosure, "no session was started");
  if (state_ == State::open) arm_ping();
}

}  // namespace fanfare::transport::websocket
