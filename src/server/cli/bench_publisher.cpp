#include "server/cli/bench_publisher.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include <fmt/format.h>

#include "server/cli/bench_publication.hpp"
#include "server/cli/bench_wire.hpp"

namespace fanfare::server::cli::bench {

// Twice the window, so that a message that is complete before an older one finds a free place.
Window::Window(std::size_t size, Poller& owner)
    : size_(size), owner_(owner), missing_(std::bit_ceil(2 * size)) {}

bool Window::has_room() const noexcept {
  return opened_ - completed() < size_ &&
         missing_[opened_ & (missing_.size() - 1)].load(std::memory_order_relaxed) == 0;
}

void Window::open(std::uint32_t message, std::uint32_t arrivals) noexcept {
  ++opened_;
  missing_[message & (missing_.size() - 1)].store(arrivals, std::memory_order_relaxed);
}

void Window::arrived(std::uint32_t message, const Poller& poller) noexcept {
  auto& missing = missing_[message & (missing_.size() - 1)];
  if (missing.fetch_sub(1, std::memory_order_relaxed) != 1) return;
  completed_.fetch_add(1, std::memory_order_relaxed);
  if (&poller != &owner_) owner_.wake();
}

Publisher::Publisher(const Context& context, std::size_t index)
    : plan_(context.plan),
      dialogue_(context.dialogue),
      tally_(context.tally),
      scratch_(context.scratch),
      poller_(context.poller),
      socket_(context.poller),
      index_(static_cast<std::uint32_t>(index)),
      window_(context.plan.in_flight, context.poller),
      request_(context.dialogue.publish_request()),
      random_(0x9e3779b97f4a7c15U * (index + 1)) {}

void Publisher::connect() {
  if (!socket_.open(plan_.publish_at.address, *this)) return fail(std::strerror(errno));
  socket_.send(dialogue_.publisher_greeting());
}

void Publisher::begin(std::span<const std::uint32_t> audience, std::uint64_t messages,
                      std::uint64_t now) {
  audience_ = audience;
  left_ = messages;
  if (plan_.rate > 0) {
    interval_ =
        static_cast<std::uint64_t>(1e9 * static_cast<double>(plan_.publishers) / plan_.rate);
    due_ = now + interval_ * index_ / plan_.publishers;  // not all at the same moment
  }
}

void Publisher::pump(std::uint64_t now) {
  if (socket_.state() != Socket::State::open || socket_.has_unsent()) return;
  while (left_ > 0 && now >= due_ && window_.has_room()) append_request(now);
  if (batch_.empty()) return;
  socket_.send(batch_);
  batch_.clear();
}

void Publisher::append_request(std::uint64_t now) {
  const std::size_t channel = pick_channel();
  const auto message = static_cast<std::uint32_t>(sent_.load());
  const std::uint32_t listeners = audience_[channel];
  window_.open(message, 1 + (plan_.lockstep ? listeners : 0));
  unanswered_.push_back(listeners);

  const std::size_t begin = batch_.size();
  batch_ += request_.bytes;
  if (plan_.channels > 1) {
    std::size_t rest = channel;
    for (std::size_t i = kChannelDigits; i-- > 0; rest /= 10) {
      batch_[begin + request_.channel_at + i] = static_cast<char>('0' + rest % 10);
    }
  }
  write_publication(&batch_[begin + request_.mark_at], {index_, message, now});
  bump(sent_);
  left_.fetch_sub(1);
  due_ += interval_;
}

std::size_t Publisher::pick_channel() noexcept {
  if (plan_.channels == 1) return 0;
  // xorshift: which channel is next must cost nothing.
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  return random_ % plan_.channels;
}

void Publisher::on_ready(bool is_writable) {
  if (is_writable) {
    const bool was_connecting = socket_.state() == Socket::State::connecting;
    if (!socket_.on_writable()) return fail("the publisher's connection was refused");
    if (was_connecting) bump(tally_.ready);
  }
  const std::ptrdiff_t count = socket_.read(scratch_);
  if (count < 0) {
    // Servers may close a connection that has had its share of requests.
    return fail("the server closed a publisher's connection");
  }
  const std::string_view bytes(scratch_.data(), static_cast<std::size_t>(count));
  if (unread_.empty()) {
    unread_ = bytes.substr(take_answers(bytes));
  } else {
    unread_ += bytes;
    unread_.erase(0, take_answers(unread_));
  }
}

std::size_t Publisher::take_answers(std::string_view bytes) {
  std::size_t taken = 0;
  if (!dialogue_.answers_in_http()) {
    for (auto end = bytes.find('\n'); end != std::string_view::npos;
         end = bytes.find('\n', taken)) {
      const auto line = bytes.substr(taken, end - taken);
      taken = end + 1;
      if (line.starts_with("PONG")) take_answer(true, line);
      if (line.starts_with("-ERR")) take_answer(false, line);
      if (line.starts_with("PING")) socket_.send("PONG\r\n");
    }
    return taken;
  }
  while (const auto answer = read_answer(bytes.substr(taken), chunks_)) {
    taken += answer->size;
    const bool is_fine = answer->status >= 200 && answer->status < 300 &&
                         answer->body.find(R"("successful":false)") == std::string_view::npos;
    take_answer(is_fine, answer->body.empty() ? answer->head : answer->body);
    if (answer->status == 0) break;
  }
  return taken;
}

void Publisher::take_answer(bool is_fine, std::string_view text) {
  if (unanswered_.empty()) return;
  const std::uint32_t listeners = unanswered_.front();
  unanswered_.pop_front();
  const std::uint32_t message = next_answer_++;
  if (is_fine) {
    bump(expected_, listeners);
    bump(accepted_);
  } else {
    bump(refused_);
    tally_.complain(fmt::format("a publish was refused: {}", text.substr(0, 200)));
    if (plan_.lockstep) {
      for (std::uint32_t i = 0; i < listeners; ++i) window_.arrived(message, poller_);
    }
  }
  window_.arrived(message, poller_);
}

void Publisher::fail(std::string_view why) {
  tally_.complain(why);
  if (sent_ == 0 && socket_.state() != Socket::State::open) bump(tally_.failed);
  left_ = 0;
  socket_.close();
}

}  // namespace fanfare::server::cli::bench
