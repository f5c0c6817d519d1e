#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace fanfare::base {

inline namespace literals {
consteval std::size_t operator""_KiB(unsigned long long count) {
  return count * 1024;
}
consteval std::size_t operator""_MiB(unsigned long long count) {
  return count * 1024 * 1024;
}
}  // namespace literals

/// Reads a size as people write it: `"512"`, `"64KiB"`, `"2 MB"`, `"1GiB"`. KB, MB and GB are
/// powers of 1000; KiB, MiB and GiB of 1024.
Result<std::uint64_t> parse_size(std::string_view text);

/// Reads a time as people write it: `"250ms"`, `"30s"`, `"5m"`, `"12h"`, `"7d"`. A bare number is
/// refused, because nobody can tell seconds from milliseconds.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

/// The shortest exact way to write them back: `64KiB`, `30s`.
std::string format_size(std::uint64_t bytes);
std::string format_duration(std::chrono::milliseconds duration);

}  // namespace fanfare::base
