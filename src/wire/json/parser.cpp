#include <algorithm>
#include <bit>
#include <utility>
#include <vector>

#include <simdjson.h>

#include "wire/json/json.hpp"

namespace fanfare::wire::json {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \n\r\t";
  const std::size_t first = text.find_first_not_of(kSpace);
  return text.substr(first, text.find_last_not_of(kSpace) + 1 - first);
}

}  // namespace

struct Parser::State {
  static constexpr std::size_t kCapacityMin = 4096;

  explicit State(std::size_t depth) : depth_max(depth) {}

  // simdjson reads whole vectors, up to this many bytes past the end.
  std::string_view copy_padded(std::string_view text) {
    const std::size_t needed = text.size() + simdjson::SIMDJSON_PADDING;
    // A large one is not kept for small ones: they may be given away, and kept for a while.
    if (buffer.size() > kCapacityMin && buffer.size() / 4 > needed)
      std::vector<char>().swap(buffer);
    if (buffer.size() < needed) buffer.resize(needed);
    text.copy(buffer.data(), text.size());
    return {buffer.data(), text.size()};
  }

  // False also for some texts that are fine: it refuses numbers that no machine type holds, and a
  // full container at exactly the deepest level.
  bool accepts(std::string_view padded) {
    if (simdjson.capacity() < padded.size()) {
      // Doubling, so that texts which grow little by little do not each allocate.
      const std::size_t capacity = std::max(kCapacityMin, std::bit_ceil(padded.size()));
      if (simdjson.allocate(capacity, depth_max) != simdjson::SUCCESS) return false;
    }
    return simdjson.parse(padded.data(), padded.size(), false).error() == simdjson::SUCCESS;
  }

  std::size_t depth_max;
  simdjson::dom::parser simdjson;
  std::vector<char> buffer;
};

Parser::Parser(std::size_t depth_max) : state_(std::make_unique<State>(depth_max)) {}
Parser::~Parser() = default;
Parser::Parser(Parser&&) noexcept = default;
Parser& Parser::operator=(Parser&&) noexcept = default;

// simdjson says yes fast. When it says no, the slow check has the last word, and knows the place.
base::Result<Value> Parser::parse(std::string_view text) {
  const std::string_view copy = state_->copy_padded(text);
  if (state_->accepts(copy)) return Value(trimmed(copy));
  return validate(copy, state_->depth_max);
}

std::vector<char> Parser::take_text() {
  return std::exchange(state_->buffer, {});
}

}  // namespace fanfare::wire::json
