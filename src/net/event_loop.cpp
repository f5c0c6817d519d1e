#include "net/event_loop.hpp"

#include <exception>
#include <memory>
#include <string>
#include <utility>

#include <boost/asio/post.hpp>

#include "base/log.hpp"

namespace fanfare::net {
namespace {

/// Out of memory, most likely. What threw is gone; the other sessions go on.
void report(const std::exception& failure) {
  base::log::error(std::string("an event failed: ") + failure.what());
}

}  // namespace

EventLoop::EventLoop(const base::Clock& clock) : clock_(clock), timers_(clock.now()) {}

void EventLoop::run() {
  tick();
  for (;;) {
    try {
      context_.run();
      return;
    } catch (const std::exception& failure) {
      report(failure);
    }
  }
}

void EventLoop::stop() {
  context_.stop();
}

void EventLoop::post(base::Task task) {
  if (mailbox_.put(std::move(task))) boost::asio::post(context_, [this] { drain_mailbox(); });
}

void EventLoop::discard_mail() {
  mailbox_.take_all(mail_);
  mail_.clear();
}

void EventLoop::at_turn_end(base::Task task) {
  boost::asio::post(context_, [task = std::move(task)]() mutable { task(); });
}

void EventLoop::after(base::Duration delay, base::Task task) {
  auto timer = std::make_shared<boost::asio::steady_timer>(context_, delay);
  timer->async_wait(
      [timer, task = std::move(task)](const boost::system::error_code& failure) mutable {
        if (!failure) task();
      });
}

void EventLoop::drain_mailbox() {
  mailbox_.take_all(mail_);
  for (base::Task& task : mail_) {
    try {
      task();
    } catch (const std::exception& failure) {
      report(failure);
    }
  }
  mail_.clear();
}

void EventLoop::tick() {
  ticker_.expires_after(base::TimerWheel::kTick);
  ticker_.async_wait([this](const boost::system::error_code& failure) {
    if (failure) return;
    timers_.advance(clock_.now());
    tick();
  });
}

}  // namespace fanfare::net
