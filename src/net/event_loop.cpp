#include "net/event_loop.hpp"

#include <memory>
#include <utility>

#include <boost/asio/post.hpp>

#include "base/caught.hpp"

namespace fanfare::net {
namespace {

/// Runs a task, and drops it at once if it throws.
void run_alone(base::Task& task) noexcept {
  try {
    task();
  } catch (...) {
    base::report_caught("a task");
    task = {};
  }
}

}  // namespace

EventLoop::EventLoop(const base::Clock& clock) : clock_(clock), timers_(clock.now()) {}

void EventLoop::run() {
  tick();
  for (;;) {
    try {
      context_.run();
      return;
    } catch (...) {
      // Whatever the loop calls catches for itself; this is for what we have overlooked.
      base::report_caught("an event");
    }
  }
}

void EventLoop::stop() {
  context_.stop();
}

void EventLoop::post(base::Task task) noexcept {
  if (mailbox_.put(std::move(task))) boost::asio::post(context_, [this] { drain_mailbox(); });
}

void EventLoop::discard_mail() {
  mailbox_.take_all(mail_);
  mail_.clear();
}

void EventLoop::at_turn_end(base::Task task) noexcept {
  boost::asio::post(context_, [task = std::move(task)]() mutable { run_alone(task); });
}

void EventLoop::after(base::Duration delay, base::Task task) noexcept {
  auto timer = std::make_shared<boost::asio::steady_timer>(context_, delay);
  timer->async_wait(
      [timer, task = std::move(task)](const boost::system::error_code& failure) mutable {
        if (!failure) run_alone(task);
      });
}

void EventLoop::drain_mailbox() noexcept {
  mailbox_.take_all(mail_);
  for (base::Task& task : mail_) run_alone(task);
  mail_.clear();
}

void EventLoop::tick() noexcept {
  ticker_.expires_after(base::TimerWheel::kTick);
  ticker_.async_wait([this](const boost::system::error_code& failure) {
    if (failure) return;
    tick();  // first, so that nothing that follows can stop the clock of this worker
    if (!timers_go_on_) advance_timers();
  });
}

void EventLoop::advance_timers() noexcept {
  timers_go_on_ = timers_.advance(clock_.now(), has_to_stop_);
  if (timers_go_on_) at_turn_end([this] { advance_timers(); });
}

}  // namespace fanfare::net
