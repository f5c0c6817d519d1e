#include "server/cli/bench_subscriber.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "server/cli/bench_publication.hpp"
#include "server/cli/bench_wire.hpp"

namespace fanfare::server::cli::bench {

using wire::websocket::Opcode;

namespace {

// The smallest that the kernel gives: what a slow consumer does not read then waits in the server.
constexpr int kSlowReceiveBuffer = 4096;

const char* find(std::string_view text, std::string_view part) {
  return static_cast<const char*>(::memmem(text.data(), text.size(), part.data(), part.size()));
}

}  // namespace

Subscriber::Subscriber(Context& context, Role role, std::vector<std::size_t> channels)
    : context_(context), socket_(context.poller), role_(role) {
  conversation_.channels = std::move(channels);
}

void Subscriber::connect() {
  if (role_ == Role::listener) seen_.resize(context_.plan.publishers);
  began_at_ = now_ns();
  asked_at_ = began_at_;
  state_ = State::opening;
  ++context_.opening;
  const int buffer = role_ == Role::slow ? kSlowReceiveBuffer : Socket::kDefaultBuffer;
  if (!socket_.open(context_.plan.subscribe_at.address, *this, buffer)) {
    return fail(std::strerror(errno));
  }
  socket_.send(context_.dialogue.begin(conversation_));
}

void Subscriber::on_ready(bool is_writable) {
  if (socket_.state() == Socket::State::closed) return;
  if (is_writable) {
    const bool was_connecting = socket_.state() == Socket::State::connecting;
    if (!socket_.on_writable()) return fail("a connection was refused");
    if (was_connecting && context_.dialogue.subscribes_by_asking()) subscribed();
  }
  const std::ptrdiff_t count = socket_.read(context_.scratch);
  if (count < 0) return fail("the server closed a connection");
  const std::string_view bytes(context_.scratch.data(), static_cast<std::size_t>(count));
  if (unread_.empty()) {
    const std::size_t taken = take(bytes);
    if (taken < bytes.size()) unread_ = bytes.substr(taken);
  } else {
    unread_ += bytes;
    unread_.erase(0, take(unread_));
  }
}

std::size_t Subscriber::take(std::string_view bytes) {
  std::size_t taken = 0;
  while (taken < bytes.size() && socket_.state() == Socket::State::open) {
    const auto rest = bytes.substr(taken);
    if (is_websocket_) {
      const auto frame = read_frame(rest);
      if (!frame) break;
      taken += frame->size;
      take_frame(frame->opcode, frame->payload);
    } else {
      const auto answer = read_answer(rest, context_.chunks);
      if (!answer) break;
      taken += answer->size;
      is_websocket_ = answer->status == 101;
      take_publications(answer->body);
      hear(answer->head, answer->body);
    }
  }
  return taken;
}

void Subscriber::take_frame(Opcode opcode, std::string_view payload) {
  switch (opcode) {
    case Opcode::text:
    case Opcode::binary:
      if (!take_publications(payload)) hear({}, payload);
      break;
    case Opcode::ping:
      socket_.send(client_frame(Opcode::pong, payload));
      break;
    case Opcode::close:
      fail("the server closed a WebSocket");
      break;
    default:
      break;
  }
}

// Goes from mark to mark, and looks for control messages only between publications: the filling of
// a payload is never looked at.
bool Subscriber::take_publications(std::string_view text) {
  const char* mark = find(text, kMark);
  if (mark == nullptr) return false;
  const std::uint64_t now = now_ns();
  const std::size_t payload_after_mark = context_.plan.payload_bytes - 2;
  const std::string_view control = context_.plan.protocol == Protocol::nats ? "\nPING" : "\"/meta/";
  bool is_all = true;
  while (mark != nullptr) {
    const auto at = static_cast<std::size_t>(mark - text.data());
    if (text.size() - at < kPublicationBytes) return is_all;
    is_all = is_all && find(text.substr(0, at), control) == nullptr;
    take_publication(mark, now);
    text.remove_prefix(std::min(text.size(), at + payload_after_mark));
    mark = find(text, kMark);
  }
  return is_all && find(text, control) == nullptr;
}

void Subscriber::take_publication(const char* mark, std::uint64_t now) {
  const Publication publication = read_publication(mark);
  if (publication.publisher >= seen_.size()) return;  // of another run, or not for counting
  Tally& tally = context_.tally;
  const auto verdict = seen_[publication.publisher].take(publication.message);
  if (verdict == Seen::Verdict::again) {
    ++tally.again;
    return;
  }
  if (verdict == Seen::Verdict::late) ++tally.late;
  if (now >= context_.measure_from.load(std::memory_order_relaxed)) {
    tally.latency.add(now - std::min(now, publication.published_at));
  }
  bump(tally.deliveries);
  tally.last_delivery_at.store(now, std::memory_order_relaxed);
  context_.publishers[publication.publisher]->delivered(publication.message, context_.poller);
}

void Subscriber::hear(std::string_view head, std::string_view body) {
  if (role_ == Role::newcomer) {
    const std::uint64_t now = now_ns();
    context_.tally.newcomer_answers.add(now - std::exchange(asked_at_, now));
  }
  auto reaction = context_.dialogue.hear(conversation_, head, body);
  if (!reaction.refusal.empty()) return fail(reaction.refusal);
  if (!reaction.send.empty()) socket_.send(reaction.send);
  if (reaction.is_subscribed) subscribed();
}

void Subscriber::subscribed() {
  --context_.opening;
  state_ = State::subscribed;
  if (role_ == Role::newcomer) {
    context_.tally.newcomers.add(now_ns() - began_at_);
    return leave();
  }
  if (role_ == Role::slow) socket_.stop_reading();
  bump(context_.tally.ready);
  context_.tally.last_ready_at.store(now_ns(), std::memory_order_relaxed);
}

void Subscriber::leave() {
  state_ = State::gone;
  socket_.close();
}

void Subscriber::fail(std::string_view why) {
  const State before = std::exchange(state_, State::gone);
  socket_.close();
  context_.tally.complain(why);
  if (before == State::opening) --context_.opening;
  if (role_ == Role::newcomer) {
    ++context_.tally.newcomers_unserved;
  } else if (before == State::opening) {
    bump(context_.tally.failed);
  } else if (before == State::subscribed) {
    ++context_.tally.disconnected;
  }
}

}  // namespace fanfare::server::cli::bench
