#pragma once

#include <mutex>

#if defined(__clang__)
#define FANFARE_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define FANFARE_THREAD_ANNOTATION(x)
#endif

#define FANFARE_CAPABILITY(x) FANFARE_THREAD_ANNOTATION(capability(x))
#define FANFARE_SCOPED_CAPABILITY FANFARE_THREAD_ANNOTATION(scoped_lockable)
#define FANFARE_GUARDED_BY(x) FANFARE_THREAD_ANNOTATION(guarded_by(x))
#define FANFARE_REQUIRES(...) FANFARE_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define FANFARE_ACQUIRE(...) FANFARE_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define FANFARE_RELEASE(...) FANFARE_THREAD_ANNOTATION(release_capability(__VA_ARGS__))

namespace fanfare::base {

/// std::mutex that clang's -Wthread-safety understands. Held for data, never across I/O.
class FANFARE_CAPABILITY("mutex") Mutex {
 public:
  void lock() FANFARE_ACQUIRE() { mutex_.lock(); }
  void unlock() FANFARE_RELEASE() { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

class FANFARE_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) FANFARE_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() FANFARE_RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace fanfare::base
