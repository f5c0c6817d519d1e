#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace fanfare {

/// Decisions that a seed repeats. The standard's distributions differ from one library to the next,
/// its engines do not.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  /// From 0 to `end` - 1.
  std::size_t below(std::size_t end) { return static_cast<std::size_t>(engine_() % end); }
  std::size_t between(std::size_t first, std::size_t last) {
    return first + below(last - first + 1);
  }
  bool percent(std::size_t chance) { return below(100) < chance; }
  std::uint64_t seed() { return engine_(); }

  template <typename T>
  const T& one_of(const std::vector<T>& choices) {
    return choices[below(choices.size())];
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace fanfare
