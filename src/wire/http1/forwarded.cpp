#include "wire/http1/forwarded.hpp"

#include <algorithm>
#include <string>

#include "wire/http1/text.hpp"

namespace fanfare::wire::http1 {
namespace {

using base::IpAddress;

// Trusted proxies that a request may have come through. More than a few are a visitor who writes
// addresses that he takes for trusted, and each is compared with every trusted network.
constexpr int kHopsMax = 32;

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 && std::ranges::all_of(text, is_digit);
}

/// "192.0.2.1", "192.0.2.1:80", "[2001:db8::1]", "[2001:db8::1]:80"; and without its brackets, as
/// X-Forwarded-For has it and careless proxies write it elsewhere, "2001:db8::1".
std::optional<IpAddress> read_node(std::string_view node) {
  if (node.starts_with('[')) {
    const auto end = node.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view port = node.substr(end + 1);
    if (!port.empty() && !(port.front() == ':' && is_port(port.substr(1)))) return std::nullopt;
    const auto address = IpAddress::parse(node.substr(1, end - 1));
    const bool is_v6 = node.find(':') < end;
    return is_v6 ? address : std::nullopt;
  }
  if (const auto colon = node.find(':'); colon != std::string_view::npos) {
    if (is_port(node.substr(colon + 1))) return IpAddress::parse(node.substr(0, colon));
  }
  return IpAddress::parse(node);
}

/// Where the quote stands that opens the text which the quote at `end` closes: the nearest one to
/// the left that is not escaped.
std::size_t opening_quote(std::string_view text, std::size_t end) {
  while (end > 0) {
    const auto quote = text.rfind('"', end - 1);
    if (quote == std::string_view::npos) break;
    std::size_t backslashes = 0;
    while (backslashes < quote && text[quote - 1 - backslashes] == '\\') ++backslashes;
    if (backslashes % 2 == 0) return quote;
    end = quote;
  }
  return std::string_view::npos;
}

/// Cuts off what stands behind the last comma outside of quotes; nothing if a quote is left over.
std::optional<std::string_view> cut_last_element(std::string_view& list) {
  std::size_t begin = list.size();
  while (begin > 0 && list[begin - 1] != ',') {
    --begin;
    if (list[begin] != '"') continue;
    begin = opening_quote(list, begin);
    if (begin == std::string_view::npos) return std::nullopt;
  }
  const std::string_view element = list.substr(begin);
  list.remove_suffix(element.size() + (begin > 0 ? 1 : 0));
  return trim(element);
}

/// Nothing if the closing quote is missing. Escapes stay: no address needs one.
std::optional<std::string_view> unquote(std::string_view value) {
  if (!value.starts_with('"')) return value;
  if (value.size() < 2 || !value.ends_with('"')) return std::nullopt;
  return value.substr(1, value.size() - 2);
}

/// Up to the first semicolon outside of quotes, which is taken too.
std::string_view cut_pair(std::string_view& element) {
  bool is_quoted = false;
  std::size_t end = 0;
  for (; end < element.size() && (is_quoted || element[end] != ';'); ++end) {
    if (element[end] == '"') is_quoted = !is_quoted;
    if (is_quoted && element[end] == '\\') ++end;
  }
  const std::string_view pair = element.substr(0, end);
  element.remove_prefix(std::min(element.size(), end + 1));
  return trim(pair);
}

}  // namespace

std::optional<IpAddress> cut_forwarded(std::string_view& list) {
  std::optional<std::string_view> element;
  do {
    if (list.empty()) return std::nullopt;
    element = cut_last_element(list);
  } while (element &&
           element->empty());  // an empty one counts for nothing (RFC 9110 section 5.6.1)
  if (!element) return std::nullopt;

  std::optional<std::string_view> node;
  while (!element->empty()) {
    std::string_view value = cut_pair(*element);
    if (!iequals(trim(cut(value, '=')), "for")) continue;
    if (node) return std::nullopt;  // it may stand there once (RFC 7239 section 4)
    node = unquote(trim(value));
    if (!node) return std::nullopt;
  }
  return node ? read_node(*node) : std::nullopt;
}

std::optional<IpAddress> cut_forwarded_for(std::string_view& list) {
  std::string_view element;
  while (element.empty() && !list.empty()) {
    const auto comma = list.rfind(',');
    const std::size_t begin = comma == std::string_view::npos ? 0 : comma + 1;
    element = trim(list.substr(begin));
    list = list.substr(0, begin == 0 ? 0 : comma);
  }
  return read_node(element);
}

bool is_forwarded(const Request& request) {
  return request.has_header("Forwarded") || request.has_header("X-Forwarded-For");
}

IpAddress visitor_of(const Request& request, const IpAddress& peer,
                     std::span<const base::IpNetwork> trusted) {
  if (trusted.empty() || !is_forwarded(request)) return peer;
  const bool has_standard = request.has_header("Forwarded");
  const std::string list = request.header_list(has_standard ? "Forwarded" : "X-Forwarded-For");
  const auto cut_next = has_standard ? cut_forwarded : cut_forwarded_for;
  std::string_view rest = list;
  IpAddress known = peer;
  for (int hops = 0; hops < kHopsMax && contains(trusted, known); ++hops) {
    const auto next = cut_next(rest);
    if (!next) break;
    known = *next;
  }
  return known;
}

}  // namespace fanfare::wire::http1
