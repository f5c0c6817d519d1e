#pragma once

#include <atomic>
#include <cstddef>

namespace fanfare::base {

/// How many bytes of one kind may be kept, by all who keep some. From any thread.
class ByteBudget {
 public:
  explicit ByteBudget(std::size_t max) : max_(max) {}

  [[nodiscard]] std::size_t used() const noexcept { return used_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool is_exceeded() const noexcept { return used() > max_; }

 private:
  friend class ByteShare;
  std::atomic<std::size_t> used_ = 0;
  std::size_t max_;
};

/// What one holder keeps of a budget, until it is destroyed. The budget must outlive it.
class ByteShare {
 public:
  explicit ByteShare(ByteBudget& budget) : budget_(budget) {}
  ByteShare(const ByteShare&) = delete;
  ByteShare& operator=(const ByteShare&) = delete;
  ~ByteShare() { set(0); }

  void set(std::size_t bytes) noexcept {
    if (bytes == bytes_) return;
    budget_.used_.fetch_add(bytes - bytes_, std::memory_order_relaxed);  // or less: it wraps
    bytes_ = bytes;
  }

 private:
  ByteBudget& budget_;
  std::size_t bytes_ = 0;
};

}  // namespace fanfare::base
