#include "wire/http1/authority.hpp"

#include <algorithm>

#include "wire/http1/text.hpp"

namespace fanfare::wire::http1 {
namespace {

bool is_name_char(char c) {
  return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_';
}

bool is_ipv6_char(char c) {
  return hex_value(c) >= 0 || c == ':' || c == '.';
}

/// `:8400`, `:` (RFC 3986 section 3.2.3 allows an empty port), or nothing.
bool is_port(std::string_view text) {
  constexpr std::size_t kDigitsMax = 5;
  if (text.empty()) return true;
  const auto digits = text.substr(1);
  return text[0] == ':' && digits.size() <= kDigitsMax &&
         std::all_of(digits.begin(), digits.end(), is_digit);
}

std::size_t literal_size(std::string_view authority) {
  const auto close = authority.find(']');
  if (close == std::string_view::npos || close < 3) return 0;  // "[::]" is the shortest
  const auto address = authority.substr(1, close - 1);
  return std::all_of(address.begin(), address.end(), is_ipv6_char) ? close + 1 : 0;
}

std::size_t name_size(std::string_view authority) {
  const auto end = std::find_if_not(authority.begin(), authority.end(), is_name_char);
  return static_cast<std::size_t>(end - authority.begin());
}

}  // namespace

std::optional<std::size_t> host_size_of(std::string_view authority) {
  const bool is_literal = authority.starts_with('[');
  const std::size_t size = is_literal ? literal_size(authority) : name_size(authority);
  if (size == 0 || !is_port(authority.substr(size))) return std::nullopt;
  return size;
}

}  // namespace fanfare::wire::http1
