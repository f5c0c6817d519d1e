#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace fanfare::server::cli::bench {

/// Counts times by size: exact below 64 ns, within 1.6 % above, whatever their range. Quantiles of
/// a hundred million deliveries cost as much memory as those of a hundred.
///
/// Threads: one; merge() those of several when they are done.
class Histogram {
 public:
  Histogram();

  void add(std::uint64_t nanoseconds) noexcept;
  void merge(const Histogram& other) noexcept;

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] std::uint64_t max() const noexcept { return max_; }
  /// The time that `part` (0 to 1) of all were within; 0 when there are none.
  [[nodiscard]] std::uint64_t quantile(double part) const noexcept;

 private:
  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace fanfare::server::cli::bench
