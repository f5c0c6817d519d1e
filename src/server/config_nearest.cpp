#include <algorithm>
#include <numeric>

#include "base/check.hpp"
#include "server/config_keys.hpp"

namespace fanfare::server {
namespace {

// Levenshtein's distance, row by row: how many letters to add, drop or replace.
std::size_t edit_distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < to.size(); ++j) {
      const std::size_t replaced = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string_view nearest_word(std::string_view word, std::span<const std::string_view> words) {
  FANFARE_CHECK(!words.empty());
  return *std::ranges::min_element(
      words, {}, [word](std::string_view other) { return edit_distance(word, other); });
}

}  // namespace fanfare::server
