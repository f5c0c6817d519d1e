#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

namespace fanfare {

/// Where a random test starts. `FANFARE_SEED=<n>` repeats a failure, which prints its own.
inline std::uint64_t test_seed() {
  const char* const given = std::getenv("FANFARE_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
}

/// Dice with a seed.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}

  /// 0 to `count` - 1.
  std::size_t below(std::size_t count) {
    return std::uniform_int_distribution<std::size_t>(0, count - 1)(random_);
  }
  bool one_in(std::size_t count) { return below(count) == 0; }
  template <typename Container>
  auto& of(Container& from) {
    return from[below(from.size())];
  }

 private:
  std::mt19937_64 random_;
};

}  // namespace fanfare
