#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/cli/bench_plan.hpp"
#include "server/cli/bench_protocol.hpp"
#include "server/cli/bench_publisher.hpp"
#include "server/cli/bench_socket.hpp"
#include "server/cli/bench_tally.hpp"
#include "wire/websocket/frame.hpp"

namespace fanfare::server::cli::bench {

/// One visitor: a connection that subscribes, and then counts what comes.
class Subscriber final : public PollTarget {
 public:
  enum class Role {
    listener,
    slow,      ///< stops reading once it has subscribed
    newcomer,  ///< leaves once it has subscribed: only the time is of interest
  };

  /// What the subscribers of one thread share.
  struct Context {
    const Plan& plan;
    const Dialogue& dialogue;
    const std::vector<Publisher*>& publishers;  // of all threads, by index
    Poller& poller;
    Tally& tally;
    std::span<char> scratch;
    /// What arrived before is counted, but not measured.
    const std::atomic<std::uint64_t>& measure_from;
    std::string chunks{};
    /// How many are on their way to being subscribed.
    std::size_t opening = 0;
  };

  Subscriber(Context& context, Role role, std::vector<std::size_t> channels);

  void connect();
  void on_ready(bool is_writable) override;

  [[nodiscard]] bool is_subscribed() const noexcept { return state_ == State::subscribed; }
  /// Whether the server has closed it, after the end of the run; also of one that does not read.
  [[nodiscard]] bool was_closed() { return state_ != State::subscribed || socket_.drain(); }
  [[nodiscard]] Role role() const noexcept { return role_; }
  [[nodiscard]] const std::vector<std::size_t>& channels() const noexcept {
    return conversation_.channels;
  }

 private:
  enum class State : std::uint8_t { idle, opening, subscribed, gone };

  std::size_t take(std::string_view bytes);
  void take_frame(wire::websocket::Opcode opcode, std::string_view payload);
  /// Counts the publications in `text`; false when there was something besides them.
  bool take_publications(std::string_view text);
  void take_publication(const char* mark, std::uint64_t now);
  void hear(std::string_view head, std::string_view body);
  void subscribed();
  void leave();
  void fail(std::string_view why);

  Context& context_;
  Socket socket_;
  Role role_;
  State state_ = State::idle;
  bool is_websocket_ = false;
  Conversation conversation_;
  std::string unread_;
  std::vector<Seen> seen_;  // by publisher
  std::uint64_t began_at_ = 0;
  std::uint64_t asked_at_ = 0;
};

}  // namespace fanfare::server::cli::bench
