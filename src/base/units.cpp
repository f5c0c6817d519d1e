#include "base/units.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <span>
#include <utility>

#include <fmt/format.h>

namespace fanfare::base {
namespace {

using Unit = std::pair<std::string_view, std::uint64_t>;

// Longest first within a family, so that formatting picks the largest unit that divides evenly.
constexpr std::array<Unit, 9> kSizeUnits{{{"GiB", 1ULL << 30},
                                          {"MiB", 1ULL << 20},
                                          {"KiB", 1ULL << 10},
                                          {"GB", 1'000'000'000},
                                          {"MB", 1'000'000},
                                          {"KB", 1'000},
                                          {"kB", 1'000},
                                          {"B", 1},
                                          {"", 1}}};

constexpr std::array<Unit, 5> kTimeUnits{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};

Result<std::uint64_t> parse_quantity(std::string_view text, std::span<const Unit> units,
                                     std::string_view example) {
  std::uint64_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, count);
  std::string_view unit_name(rest, static_cast<std::size_t>(end - rest));
  while (!unit_name.empty() && unit_name.front() == ' ') unit_name.remove_prefix(1);
  if (failure == std::errc{}) {
    for (const auto& [name, factor] : units) {
      if (name != unit_name) continue;
      if (count > std::numeric_limits<std::int64_t>::max() / factor) break;
      return count * factor;
    }
  }
  return Error{Errc::invalid,
               fmt::format("'{}' is not understood; write it like {}", text, example)};
}

std::string format_quantity(std::uint64_t count, std::span<const Unit> units) {
  for (const auto& [name, factor] : units) {
    if (count >= factor && count % factor == 0) return fmt::format("{}{}", count / factor, name);
  }
  return fmt::format("0{}", units.back().first);
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
  return parse_quantity(text, kSizeUnits, "\"64KiB\" or \"2MB\"");
}

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const auto count = parse_quantity(text, kTimeUnits, "\"250ms\", \"30s\" or \"5m\"");
  if (!count) return count.error();
  return std::chrono::milliseconds(static_cast<std::int64_t>(*count));
}

std::string format_size(std::uint64_t bytes) {
  if (bytes >= 1024 && bytes % 1024 == 0)
    return format_quantity(bytes, std::span(kSizeUnits).first(3));
  return format_quantity(bytes, std::span(kSizeUnits).subspan(3, 5));
}

std::string format_duration(std::chrono::milliseconds duration) {
  return format_quantity(static_cast<std::uint64_t>(duration.count()), kTimeUnits);
}

}  // namespace fanfare::base
