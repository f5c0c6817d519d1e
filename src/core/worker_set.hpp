#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/strong_id.hpp"

namespace fanfare::core {

using WorkerIndex = base::StrongId<struct WorkerIndexTag, std::uint8_t>;

/// As many as fit into a WorkerSet; more threads than this want more processes.
inline constexpr std::size_t kWorkersMax = 64;

/// Some of the workers, as bits.
class WorkerSet {
 public:
  void add(WorkerIndex worker) noexcept { bits_ |= bit(worker); }
  void remove(WorkerIndex worker) noexcept { bits_ &= ~bit(worker); }
  [[nodiscard]] bool is_empty() const noexcept { return bits_ == 0; }
  WorkerSet& operator|=(WorkerSet other) noexcept {
    bits_ |= other.bits_;
    return *this;
  }

  template <typename Visit>
  void for_each(Visit visit) const {
    for (std::uint64_t left = bits_; left != 0; left &= left - 1) {
      visit(WorkerIndex(static_cast<std::uint8_t>(std::countr_zero(left))));
    }
  }

 private:
  static std::uint64_t bit(WorkerIndex worker) noexcept {
    return std::uint64_t{1} << worker.value();
  }
  std::uint64_t bits_ = 0;
};

}  // namespace fanfare::core
