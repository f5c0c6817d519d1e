#include "server/cli/bench_histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace fanfare::server::cli::bench {
namespace {

// Each power of two is cut into 64 steps; times from 2^42 ns (73 minutes) up share the last one.
constexpr unsigned kStepBits = 6;
constexpr std::uint64_t kSteps = 1U << kStepBits;
constexpr unsigned kTimeBits = 42;
constexpr std::size_t kBuckets = (kTimeBits - kStepBits + 1) * kSteps;

std::size_t bucket_of(std::uint64_t time) noexcept {
  if (time < kSteps) return static_cast<std::size_t>(time);
  const auto shift = static_cast<unsigned>(std::bit_width(time)) - kStepBits - 1;
  return std::min<std::size_t>((shift + 1) * kSteps + (time >> shift) - kSteps, kBuckets - 1);
}

/// The largest time that falls into the bucket.
std::uint64_t upper_end(std::size_t bucket) noexcept {
  if (bucket < kSteps) return bucket;
  const std::uint64_t shift = bucket / kSteps - 1;
  return ((bucket % kSteps + kSteps + 1) << shift) - 1;
}

}  // namespace

Histogram::Histogram() : counts_(kBuckets) {}

void Histogram::add(std::uint64_t nanoseconds) noexcept {
  ++counts_[bucket_of(nanoseconds)];
  ++count_;
  max_ = std::max(max_, nanoseconds);
}

void Histogram::merge(const Histogram& other) noexcept {
  for (std::size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

std::uint64_t Histogram::quantile(double part) const noexcept {
  const auto wanted = static_cast<std::uint64_t>(std::ceil(part * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += counts_[i];
    if (seen >= wanted && seen > 0) return std::min(upper_end(i), max_);
  }
  return max_;
}

}  // namespace fanfare::server::cli::bench
