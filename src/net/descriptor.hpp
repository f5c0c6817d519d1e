#pragma once

#include <unistd.h>
#include <utility>

namespace fanfare::net {

/// A descriptor that closes itself unless it is handed on.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(Descriptor&& other) noexcept : value_(other.hand_on()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  [[nodiscard]] int get() const noexcept { return value_; }
  int hand_on() noexcept { return std::exchange(value_, -1); }

 private:
  int value_ = -1;
};

}  // namespace fanfare::net
