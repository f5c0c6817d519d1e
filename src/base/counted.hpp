#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace fanfare::base {

/// Being one of those that a counter counts, for as long as it is held; moving hands the place on.
/// The counter may be shared by threads.
class Counted {
 public:
  Counted() = default;
  explicit Counted(std::atomic<std::size_t>& counter) : counter_(&counter) {
    counter.fetch_add(1, std::memory_order_relaxed);
  }
  Counted(Counted&& other) noexcept : counter_(std::exchange(other.counter_, nullptr)) {}
  Counted& operator=(Counted&& other) noexcept {
    std::swap(counter_, other.counter_);
    return *this;
  }
  ~Counted() {
    if (counter_ != nullptr) counter_->fetch_sub(1, std::memory_order_relaxed);
  }

 private:
  std::atomic<std::size_t>* counter_ = nullptr;
};

}  // namespace fanfare::base
