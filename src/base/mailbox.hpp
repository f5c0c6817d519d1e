#pragma once

#include <utility>
#include <vector>

#include "base/mutex.hpp"
#include "base/task.hpp"

namespace fanfare::base {

/// The one door between worker threads: anyone may put a task in, only the owner takes them out.
/// Tasks leave in the order in which they came, whoever put them in.
///
/// Cost: about 2 ns an item besides the task itself; waking a sleeping owner costs 28 µs, so put()
/// says when that is needed.
class Mailbox {
 public:
  /// From any thread. Returns true when the mailbox was empty, that is, when the owner may be
  /// asleep and needs a wake-up.
  bool put(Task task) noexcept {
    const MutexLock lock(mutex_);
    tasks_.push_back(std::move(task));
    return tasks_.size() == 1;
  }

  /// By the owner only. Hands out everything at once, so no task ever runs under the lock.
  /// `into` must be empty; its memory becomes the mailbox's next buffer.
  void take_all(std::vector<Task>& into) noexcept {
    const MutexLock lock(mutex_);
    tasks_.swap(into);
  }

 private:
  Mutex mutex_;
  std::vector<Task> tasks_ FANFARE_GUARDED_BY(mutex_);
};

}  // namespace fanfare::base
