#include <algorithm>
#include <cstring>

#include "wire/json/json.hpp"
#include "wire/json/utf8.hpp"

namespace fanfare::wire::json {
namespace {

constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";

constexpr bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
}

// RFC 8259 section 7: the quote, the backslash and the control characters.
void append_escaped(std::string& out, char c) {
  if (c == '"' || c == '\\') {
    out += '\\';
    out += c;
    return;
  }
  constexpr std::string_view kHex = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  out += "\\u00";
  out += kHex[byte >> 4];
  out += kHex[byte & 15];
}

// Appends the character at the front of `text` that is not plain, and returns its length.
std::size_t append_special(std::string& out, std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) {
    append_escaped(out, text.front());
    return 1;
  }
  const std::size_t length = utf8_length(text);
  if (length == 0) {
    out += kReplacementCharacter;
    return 1;
  }
  out += text.substr(0, length);
  return length;
}

}  // namespace

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    std::size_t plain = 0;
    while (plain < text.size() && is_plain(text[plain])) ++plain;
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (!text.empty()) text.remove_prefix(append_special(out, text));
  }
  out += '"';
}

std::string quoted(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  append_quoted(out, text);
  return out;
}

std::string single_line(std::string_view raw) {
  // Nearly all publishers write their JSON on one line.
  const bool has_breaks = std::memchr(raw.data(), '\n', raw.size()) != nullptr ||
                          std::memchr(raw.data(), '\r', raw.size()) != nullptr;
  if (!has_breaks) return std::string(raw);
  std::string line;
  line.reserve(raw.size());
  while (!raw.empty()) {
    const std::size_t length = std::min(raw.find_first_of("\r\n"), raw.size());
    line += raw.substr(0, length);
    raw.remove_prefix(std::min(length + 1, raw.size()));
  }
  return line;
}

}  // namespace fanfare::wire::json
