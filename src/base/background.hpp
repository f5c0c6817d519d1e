#pragma once

#include <atomic>
#include <cstddef>
#include <semaphore>
#include <thread>

#include "base/mailbox.hpp"
#include "base/task.hpp"

namespace fanfare::base {

/// The one thread for what may block: files, directories, a disk that sleeps. Whoever has such work
/// hands it over instead of doing it on an event loop, and has the answer brought back by mail.
///
/// Work that throws is dropped there, and whatever it holds with it. Whoever owes somebody an
/// answer for it owes that in the destructor of what it holds, and brings it back to his own
/// thread.
///
/// Threads: submit() from any, stop() and the destructor from the owner's. Work runs one after the
/// other, in the order in which it came.
/// Ownership: work that was not begun when it stops is destroyed by the thread that stops it. So
/// stop() comes after the threads that the work belongs to have ended, and before what it knows is
/// destroyed.
class Background {
 public:
  /// Work that may wait. One look at a file takes some 20 µs, so this is a fraction of a second; on
  /// a disk that does not answer it is what we are ready to keep.
  static constexpr std::size_t kWaitingMax = 1'024;

  explicit Background(std::size_t waiting_max = kWaitingMax);
  ~Background() { stop(); }
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  /// False when too much waits already, or after stop(); `work` is then as it was.
  [[nodiscard]] bool submit(Task&& work) noexcept;

  /// Waits for the work at hand, and drops what waits. More than once is fine.
  void stop();

 private:
  void run() noexcept;
  void run_one(Task& work) noexcept;
  void put(Task work) noexcept;

  std::size_t waiting_max_;
  std::atomic<std::size_t> waiting_{0};
  std::atomic<bool> is_stopping_{false};
  Mailbox mailbox_;
  // Released when the mailbox was empty, taken before it is emptied: so it is never above one.
  std::binary_semaphore has_mail_{0};
  std::thread thread_;
};

}  // namespace fanfare::base
