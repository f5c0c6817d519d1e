#include "server/cli/stop_signals.hpp"

#include <csignal>
#include <cstdlib>
#include <utility>

namespace fanfare::server::cli {
namespace {

sigset_t stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

}  // namespace

StopSignals::StopSignals(std::function<void()> on_stop) : on_stop_(std::move(on_stop)) {
  block();
  waiter_ = std::thread([this] { wait_for_signals(); });
}

StopSignals::~StopSignals() {
  is_over_ = true;
  ::pthread_kill(waiter_.native_handle(), SIGTERM);
  waiter_.join();
}

void StopSignals::block() {
  const sigset_t signals = stop_signals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

void StopSignals::wait_for_signals() {
  const sigset_t signals = stop_signals();
  for (bool is_first = true;; is_first = false) {
    int signal = 0;
    if (sigwait(&signals, &signal) != 0) continue;
    if (is_over_) return;
    // As a shell reports a program that a signal ended.
    if (!is_first) std::_Exit(128 + signal);
    on_stop_();
  }
}

}  // namespace fanfare::server::cli
