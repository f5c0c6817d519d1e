#pragma once

#include <future>
#include <thread>
#include <type_traits>
#include <utility>

#include "base/clock.hpp"
#include "net/event_loop.hpp"

namespace fanfare::net {

/// An event loop that runs in a thread of its own. Its clock stands still until the test moves it;
/// timers then fire within a few real ticks.
class LoopThread {
 public:
  LoopThread() : thread_([this] { loop.run(); }) {}
  ~LoopThread() { stop(); }
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;

  /// Runs `function` on the loop's thread and returns what it returns.
  template <typename Function>
  auto call(Function function) -> std::invoke_result_t<Function> {
    std::packaged_task<std::invoke_result_t<Function>()> task(std::move(function));
    auto result = task.get_future();
    loop.post([&task] { task(); });
    return result.get();
  }
  void advance(base::Duration by) {
    call([&] { clock.advance(by); });
  }
  void stop() {
    if (!thread_.joinable()) return;
    loop.stop();
    thread_.join();
    loop.discard_mail();
  }

  base::ManualClock clock;
  EventLoop loop{clock};

 private:
  std::thread thread_;
};

}  // namespace fanfare::net
