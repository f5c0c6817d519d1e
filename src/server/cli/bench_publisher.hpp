#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "server/cli/bench_plan.hpp"
#include "server/cli/bench_protocol.hpp"
#include "server/cli/bench_socket.hpp"
#include "server/cli/bench_tally.hpp"

namespace fanfare::server::cli::bench {

/// The messages of one publisher that are on their way: how many may be, and when one has arrived.
///
/// Threads: any may call arrived(); the others are for the publisher's own.
class Window {
 public:
  Window(std::size_t size, Poller& owner);

  [[nodiscard]] bool has_room() const noexcept;
  /// The message is complete after that many arrivals.
  void open(std::uint32_t message, std::uint32_t arrivals) noexcept;
  /// `poller` is the caller's; the publisher is woken if it waits at another.
  void arrived(std::uint32_t message, const Poller& poller) noexcept;
  [[nodiscard]] std::uint64_t completed() const noexcept {
    return completed_.load(std::memory_order_relaxed);
  }

 private:
  std::size_t size_;
  Poller& owner_;
  std::vector<std::atomic<std::uint32_t>> missing_;  // by message, modulo a power of two
  std::uint64_t opened_ = 0;
  std::atomic<std::uint64_t> completed_{0};
};

/// One connection over which requests go out, the next before the last is answered, if the plan
/// says so.
class Publisher final : public PollTarget {
 public:
  struct Context {
    const Plan& plan;
    const Dialogue& dialogue;
    Poller& poller;
    Tally& tally;
    std::span<char> scratch;
  };

  Publisher(const Context& context, std::size_t index);

  void connect();
  /// How many subscribers each channel has, which must stay so; and how many messages to send.
  void begin(std::span<const std::uint32_t> audience, std::uint64_t messages, std::uint64_t now);
  /// Sends what may be sent.
  void pump(std::uint64_t now);
  /// No new messages from now on; those on their way still arrive.
  void finish() noexcept { left_ = 0; }
  /// One of the subscribers has got the message.
  void delivered(std::uint32_t message, const Poller& poller) noexcept {
    if (plan_.lockstep) window_.arrived(message, poller);
  }

  void on_ready(bool is_writable) override;

  /// When the next message is due; 0 for at once.
  [[nodiscard]] std::uint64_t due() const noexcept { return due_; }
  // For the thread that watches.
  [[nodiscard]] std::uint64_t left() const noexcept { return left_; }
  [[nodiscard]] std::uint64_t sent() const noexcept { return sent_; }
  [[nodiscard]] std::uint64_t accepted() const noexcept { return accepted_; }
  [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }
  /// Deliveries that the accepted messages should make.
  [[nodiscard]] std::uint64_t expected() const noexcept { return expected_; }

 private:
  void append_request(std::uint64_t now);
  [[nodiscard]] std::size_t pick_channel() noexcept;
  std::size_t take_answers(std::string_view bytes);
  void take_answer(bool is_fine, std::string_view text);
  void fail(std::string_view why);

  const Plan& plan_;
  const Dialogue& dialogue_;
  Tally& tally_;
  std::span<char> scratch_;
  Poller& poller_;
  Socket socket_;
  std::uint32_t index_;
  Window window_;
  PublishRequest request_;
  std::string batch_;
  std::string unread_;
  std::string chunks_;
  std::span<const std::uint32_t> audience_;  // of the run
  /// How many subscribers each unanswered message goes to.
  std::deque<std::uint32_t> unanswered_;
  std::uint32_t next_answer_ = 0;
  std::uint64_t random_;
  std::uint64_t interval_ = 0;
  std::uint64_t due_ = 0;

  std::atomic<std::uint64_t> left_{0};
  std::atomic<std::uint64_t> sent_{0};
  std::atomic<std::uint64_t> accepted_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::uint64_t> expected_{0};
};

}  // namespace fanfare::server::cli::bench
