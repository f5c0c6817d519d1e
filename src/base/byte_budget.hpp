#pragma once

#include <atomic>
#include <cstddef>
#include <limits>
#include <utility>

namespace fanfare::base {

/// How many bytes of one kind may be kept, by all who keep some. From any thread.
class ByteBudget {
 public:
  /// Without a limit: only counts.
  ByteBudget() : ByteBudget(std::numeric_limits<std::size_t>::max()) {}
  explicit ByteBudget(std::size_t max) : max_(max) {}

  [[nodiscard]] std::size_t used() const noexcept { return used_.load(std::memory_order_relaxed); }
  /// For who keeps his own count. Less, when it wraps.
  void add(std::size_t bytes) noexcept { used_.fetch_add(bytes, std::memory_order_relaxed); }
  [[nodiscard]] std::size_t max() const noexcept { return max_; }
  [[nodiscard]] bool is_exceeded() const noexcept { return used() > max_; }

 private:
  friend class ByteShare;
  std::atomic<std::size_t> used_ = 0;
  std::size_t max_;
};

/// What one holder keeps of a budget, until it is destroyed; moving hands it on. The budget must
/// outlive it. Without a budget nothing is counted.
class ByteShare {
 public:
  ByteShare() = default;
  explicit ByteShare(ByteBudget& budget) : budget_(&budget) {}
  ByteShare(ByteShare&& other) noexcept
      : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  ByteShare& operator=(ByteShare&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~ByteShare() { set(0); }

  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

  void set(std::size_t bytes) noexcept {
    if (bytes == bytes_ || budget_ == nullptr) return;
    budget_->used_.fetch_add(bytes - bytes_, std::memory_order_relaxed);  // or less: it wraps
    bytes_ = bytes;
  }

 private:
  ByteBudget* budget_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace fanfare::base
