#include "transport/websocket/connection.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "protocol/bayeux/replies.hpp"
#include "protocol/bayeux/session.hpp"

namespace fanfare::transport::websocket {

using protocol::bayeux::Form;
using protocol::bayeux::Session;
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
// Shorter messages gain nothing worth the time: a header, and 6 µs to compress.
constexpr std::size_t kDeflateBytesMin = 256;
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
    : context_(context),
      socket_(std::move(socket)),
      realm_(std::move(realm)),
      reader_(
          {.message_bytes_max = context.limits.message_bytes_max, .deflate = compression.inflates}),
      unfinished_(context.incoming),
      compression_(compression),
      opened_(context.loop.clock().now()),
      last_heard_(opened_) {}

Connection::~Connection() = default;

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
  if (is_busy_) {
    unread_ = std::make_unique<std::string>(std::move(moving.unread));
  } else {
    read_frames(moving.unread);
  }
  wait_readable();
}

void Connection::wait_readable() {
  if (is_waiting_readable_ || state_ == State::gone) return;
  is_waiting_readable_ = true;
  socket_.wait_readable(this);
}

void Connection::on_readable() {
  is_waiting_readable_ = false;
  if (state_ == State::gone) return;
  const ConnectionPtr self(this);
  const net::Socket::Outcome outcome = socket_.read(context_.scratch);
  if (outcome.state == net::Socket::State::peer_left ||
      outcome.state == net::Socket::State::failed) {
    return peer_is_gone();
  }
  if (outcome.bytes > 0) {
    last_heard_ = context_.loop.clock().now();
    was_pinged_ = false;
    if (state_ == State::open) read_frames(context_.scratch.first(outcome.bytes));
  }
  if (!unread_ || unread_->size() <= kAheadBytesMax) wait_readable();
}

void Connection::read_frames(std::span<char> bytes) {
  if (is_busy_) {
    if (!unread_) unread_ = std::make_unique<std::string>();
    unread_->append(bytes.data(), bytes.size());
    return;
  }
  is_reading_ = true;
  while (state_ == State::open) {
    const Event event = reader_.next(bytes, &context_.inflater);
    if (event.kind == Event::need_more) break;
    switch (event.kind) {
      // Faye's server reads binary frames as text, and so do we.
      case Event::text:
      case Event::binary:
        take_message(event.payload, bytes);
        break;
      case Event::ping:
        write(wire::websocket::encode_frame(Opcode::pong, event.payload));
        break;
      case Event::close:
        close(event.code, {});
        break;
      case Event::violation:
        close(event.code, event.payload);
        break;
      case Event::pong:
      case Event::need_more:
        break;
    }
    if (is_busy_) {
      if (!bytes.empty()) unread_ = std::make_unique<std::string>(bytes.data(), bytes.size());
      break;
    }
  }
  write_batched();
  is_reading_ = false;
  unfinished_.set(reader_.unfinished_bytes());
  if (reader_.unfinished_bytes() > 0 && context_.incoming.is_exceeded()) {
    close(wire::websocket::kTryAgainLater, "too much is being sent at once");
  }
}

void Connection::take_message(std::string_view text, std::span<char> unread) {
  const auto messages = context_.service.parse(*realm_, text);
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
  context_.service.handle(realm_, *messages, this);
}

void Connection::answer(std::string_view elements,
                        const protocol::bayeux::Deliveries& /*deliveries*/) noexcept {
  const ConnectionPtr self(this);
  is_busy_ = false;
  has_had_session_ = has_had_session_ || has_sessions();
  if (!elements.empty()) reply(elements);
  if (is_reading_ || state_ != State::open) return;
  if (const auto unread = std::exchange(unread_, nullptr)) read_frames(*unread);
  wait_readable();
}

void Connection::hold(Session& /*session*/) noexcept {}

void Connection::move_to(core::WorkerIndex worker, std::string_view text, std::span<char> unread) {
  const ConnectionPtr self(this);
  supersede_all();  // the sessions stay here; the answers travel along
  Moving moving{
      {}, realm_, compression_, std::string(text), std::string(unread.data(), unread.size()), {}};
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
  leave_all();
  moving.socket = socket_.release();
  context_.move(worker, std::move(moving));
}

std::string_view Connection::frame_of(core::Bundle& bundle) {
  if (compression_.deflates && bundle.bytes() >= kDeflateBytesMin) return deflated_frame_of(bundle);
  return bundle.form(static_cast<std::size_t>(Form::websocket_frame), [&bundle](std::string& form) {
    form = array_frame(protocol::bayeux::deliveries(bundle));
  });
}

std::string_view Connection::deflated_frame_of(core::Bundle& bundle) {
  const auto make = [&](std::string& form) {
    std::string array("[");
    array.append(protocol::bayeux::deliveries(bundle)).append("]");
    const std::string payload = context_.deflater.compress(array);
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
  return socket_.write({&part, 1}).bytes;
}

void Connection::send(Session& from, const core::BundlePtr& bundle) noexcept {
  if (state_ != State::open) {  // bound by a message that came with the one that closed us
    from.requeue(bundle);
    return from.leave_outlet();
  }
  if (is_reading_) write_batched();  // replies that came before
  const std::string_view frame = frame_of(*bundle);
  const std::size_t written = write_now(frame);
  if (written < frame.size()) enqueue({bundle, from.id(), {}, written}, frame.size() - written);
}

void Connection::reply(std::string_view elements) noexcept {
  if (state_ == State::open) write(array_frame(elements));
}

void Connection::write(std::string frame) {
  if (state_ == State::gone) return;
  if (!is_reading_) return write_or_keep(std::move(frame));
  context_.batched += frame;
}

void Connection::write_batched() {
  // The batch is of the one connection that is reading; this may be another, which that one closes.
  if (is_reading_ && !context_.batched.empty()) {
    write_or_keep(std::exchange(context_.batched, {}));
  }
}

void Connection::write_or_keep(std::string frame) {
  if (state_ == State::gone) return;
  const std::size_t written = write_now(frame);
  if (written == frame.size()) return;
  const std::size_t left = frame.size() - written;
  enqueue({nullptr, {}, std::move(frame), written}, left);
}

void Connection::enqueue(Outbox::Item item, std::size_t bytes) {
  const bool was_empty = !outbox_;
  if (was_empty) outbox_ = std::make_unique<Outbox>();
  outbox_->items.push_back(std::move(item));
  outbox_->bytes += bytes;
  if (was_empty) return socket_.wait_writable(this);
  if (state_ == State::open && outbox_->bytes > realm_->limits.outbox_bytes_max)
    close(core::kSlowConsumer);
}

void Connection::on_writable() {
  if (state_ == State::gone) return;
  const ConnectionPtr self(this);
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
  if (outcome.state == net::Socket::State::failed) return peer_is_gone();
  std::size_t written = outcome.bytes;
  outbox_->bytes -= written;
  while (!outbox_->items.empty()) {
    Outbox::Item& first = outbox_->items.front();
    const std::size_t left = bytes_of(first).size() - first.written;
    if (written < left) {
      first.written += written;
      return socket_.wait_writable(this);
    }
    written -= left;
    outbox_->items.pop_front();
  }
  outbox_.reset();
  if (state_ == State::closing) return linger();
  flush_sessions();
}

void Connection::give_back(Session& session) noexcept {
  if (!outbox_) return;
  // While we close, a frame that the peer has begun to get may still come through; see
  // peer_is_gone().
  const bool keeps_begun = state_ == State::closing;
  const auto goes_back = [&](const Outbox::Item& item) {
    return item.bundle && item.of == session.id() && (item.written == 0 || !keeps_begun);
  };
  bool is_half_written = false;
  for (auto item = outbox_->items.rbegin(); item != outbox_->items.rend(); ++item) {
    if (!goes_back(*item)) continue;
    session.requeue(item->bundle);
    is_half_written = is_half_written || item->written > 0;
  }
  std::erase_if(outbox_->items, goes_back);
  outbox_->bytes = 0;
  for (Outbox::Item& item : outbox_->items) outbox_->bytes += bytes_of(item).size() - item.written;
  if (outbox_->items.empty()) outbox_.reset();
  if (is_half_written) peer_is_gone();
}

void Connection::end(const core::Disconnect& why) noexcept {
  // A client that disconnects closes its socket itself once it has our answer.
  if (why.close_code != wire::websocket::kNormalClosure) close(why);
}

void Connection::close(const core::Disconnect& why) {
  close(why.close_code, why.reason);
}

void Connection::close(wire::websocket::CloseCode code, std::string_view reason) {
  if (state_ != State::open) return;
  const ConnectionPtr self(this);
  state_ = State::closing;
  leave_all();
  write(wire::websocket::encode_close(code, reason));
  write_batched();
  if (!outbox_) return linger();
  context_.loop.timers().arm(*this, context_.loop.clock().now() + kCloseTimeout);
}

void Connection::linger() {
  socket_.shut_down_sending();
  context_.loop.timers().arm(*this, context_.loop.clock().now() + kLingerTimeout);
  wait_readable();
}

void Connection::peer_is_gone() {
  if (state_ == State::gone) return;
  const ConnectionPtr self(this);
  state_ = State::gone;
  base::Timer::cancel();
  ConnectionHook::unlink();
  socket_.close();
  leave_all();
  if (const auto outbox = std::exchange(outbox_, nullptr)) {
    // What sessions left behind while we closed has not come through after all.
    for (const Outbox::Item& item : outbox->items) {
      if (!item.bundle) continue;
      if (Session* const session = context_.service.find(*realm_, item.of))
        session->requeue(item.bundle);
    }
  }
}

void Connection::arm_ping() {
  context_.loop.timers().arm(
      *this, last_heard_ + context_.limits.ping_interval * (was_pinged_ ? 2 : 1) + kHeartbeatGrace);
}

void Connection::expire(base::TimePoint now) {
  const ConnectionPtr self(this);
  if (state_ == State::closing) return peer_is_gone();
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
