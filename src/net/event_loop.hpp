#pragma once

#include <functional>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/clock.hpp"
#include "base/mailbox.hpp"
#include "base/task.hpp"
#include "base/timer_wheel.hpp"

namespace fanfare::net {

/// What one worker thread does all day: wait for sockets, timers and mail, and act on them.
///
/// A task that throws is dropped, and whatever it holds with it, so what it owes somebody must be
/// owed by something that its destructor settles (http::Answer, Exchange::Debt). The others go on.
///
/// Threads: run() and everything else by the owning thread, except post() and stop().
class EventLoop {
 public:
  explicit EventLoop(const base::Clock& clock);
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// Until stop().
  void run();
  void stop();

  /// From any thread: runs `task` on the loop's thread, in the order of the calls.
  void post(base::Task task) noexcept;

  /// When run() has returned for good: drops the tasks that it has not got to.
  void discard_mail();

  /// Runs `task` after the sockets that are ready now have been served; the kernel is asked once
  /// more before it runs. What piles up in one turn can thus leave in one go.
  void at_turn_end(base::Task task) noexcept;

  /// Runs `task` some time later. For what happens rarely; timers() serves everything else.
  void after(base::Duration delay, base::Task task) noexcept;

  /// Before run(): timers that are due together wait for the next turn when this says that enough
  /// has been done in one.
  void when_to_stop(std::function<bool()> has_to_stop) { has_to_stop_ = std::move(has_to_stop); }

  [[nodiscard]] base::TimerWheel& timers() noexcept { return timers_; }
  [[nodiscard]] const base::Clock& clock() const noexcept { return clock_; }

 private:
  friend class Socket;
  friend class Listener;

  void drain_mailbox() noexcept;
  void tick() noexcept;
  void advance_timers() noexcept;

  const base::Clock& clock_;
  // One thread runs it, which spares Asio most of its locking.
  boost::asio::io_context context_{1};
  boost::asio::steady_timer ticker_{context_};
  base::TimerWheel timers_;
  std::function<bool()> has_to_stop_ = [] { return false; };
  bool timers_go_on_ = false;  // in the next turn
  base::Mailbox mailbox_;
  std::vector<base::Task> mail_;  // being read; kept for its memory
};

}  // namespace fanfare::net
