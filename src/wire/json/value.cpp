#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "wire/json/json.hpp"
#include "wire/json/utf8.hpp"

namespace fanfare::wire::json {
namespace {

constexpr bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

constexpr bool ends_scalar(char c) {
  return c == ',' || c == ']' || c == '}' || is_space(c);
}

// Just past the string that opens at `at`. A quote closes it unless an odd number of backslashes
// stands before; each backslash is counted for one quote only, so this stays linear.
const char* skip_string(const char* at, const char* end) {
  const char* from = at + 1;
  for (;;) {
    const auto* quote =
        static_cast<const char*>(std::memchr(from, '"', static_cast<std::size_t>(end - from)));
    const char* run = quote;
    while (run[-1] == '\\') --run;
    if ((quote - run) % 2 == 0) return quote + 1;
    from = quote + 1;
  }
}

// Just past the bracket that matches the one at `at`.
const char* skip_container(const char* at, const char* end) {
  std::size_t depth = 0;
  for (;;) {
    switch (*at) {
      case '"':
        at = skip_string(at, end);
        continue;
      case '{':
      case '[':
        ++depth;
        break;
      case '}':
      case ']':
        if (--depth == 0) return at + 1;
        break;
      default:
        break;
    }
    ++at;
  }
}

const char* skip_value(const char* at, const char* end) {
  if (*at == '"') return skip_string(at, end);
  if (*at == '{' || *at == '[') return skip_container(at, end);
  while (!ends_scalar(*at)) ++at;
  return at;
}

std::string_view inside_quotes(std::string_view string) {
  return string.substr(1, string.size() - 2);
}

char32_t hex4(const char* digits) {
  std::uint16_t unit = 0;
  std::from_chars(digits, digits + 4, unit, 16);
  return unit;
}

// Appends what the escape at `at` (its backslash) stands for, and returns what follows it.
const char* append_unescaped(std::string& out, const char* at) {
  const char letter = at[1];
  if (letter != 'u') {
    constexpr std::string_view kLetters = "bfnrt";
    constexpr std::string_view kMeant = "\b\f\n\r\t";
    const std::size_t index = kLetters.find(letter);
    out += index == std::string_view::npos ? letter : kMeant[index];
    return at + 2;
  }
  char32_t point = hex4(at + 2);
  at += 6;
  // RFC 8259 section 7: beyond U+FFFF, a pair of escapes. Lone halves did not get this far.
  if (point >= 0xD800 && point <= 0xDBFF) {
    point = 0x10000 + ((point - 0xD800) << 10) + (hex4(at + 2) - 0xDC00);
    at += 6;
  }
  append_utf8(out, point);
  return at;
}

std::string unescaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    if (*at == '\\') {
      at = append_unescaped(out, at);
      continue;
    }
    const auto* next =
        static_cast<const char*>(std::memchr(at, '\\', static_cast<std::size_t>(end - at)));
    if (next == nullptr) next = end;
    out.append(at, next);
    at = next;
  }
  return out;
}

}  // namespace

std::string_view describe(Kind kind) noexcept {
  switch (kind) {
    case Kind::object:
      return "an object";
    case Kind::array:
      return "an array";
    case Kind::string:
      return "a string";
    case Kind::number:
      return "a number";
    case Kind::boolean:
      return "a boolean";
    case Kind::null:
      break;
  }
  return "null";
}

Kind Value::kind() const noexcept {
  switch (raw_.front()) {
    case '{':
      return Kind::object;
    case '[':
      return Kind::array;
    case '"':
      return Kind::string;
    case 't':
    case 'f':
      return Kind::boolean;
    case 'n':
      return Kind::null;
    default:
      return Kind::number;
  }
}

std::string Value::as_string() const {
  return is_string() ? unescaped(inside_quotes(raw_)) : std::string();
}

std::optional<std::string_view> Value::plain_string() const noexcept {
  if (!is_string()) return std::nullopt;
  const std::string_view inside = inside_quotes(raw_);
  if (inside.find('\\') != std::string_view::npos) return std::nullopt;
  return inside;
}

bool Value::equals(std::string_view text) const {
  // Escapes only ever make a text longer.
  if (!is_string() || raw_.size() < text.size() + 2) return false;
  if (const auto plain = plain_string()) return *plain == text;
  return as_string() == text;
}

std::optional<bool> Value::as_bool() const noexcept {
  if (!is_boolean()) return std::nullopt;
  return raw_.front() == 't';
}

std::optional<std::int64_t> Value::as_int64() const noexcept {
  std::int64_t number = 0;
  const char* const end = raw_.data() + raw_.size();
  const auto [rest, failure] = std::from_chars(raw_.data(), end, number);
  if (failure != std::errc{} || rest != end) return std::nullopt;
  return number;
}

std::optional<double> Value::as_double() const {
  if (!is_number()) return std::nullopt;
  double number = 0;
  const auto [rest, failure] = std::from_chars(raw_.data(), raw_.data() + raw_.size(), number);
  // Only strtod() says on which side a number is out of range.
  if (failure != std::errc{}) number = std::strtod(std::string(raw_).c_str(), nullptr);
  return number;
}

std::size_t Value::element_count() const {
  std::size_t count = 0;
  for_each_element([&count](const Value&) { ++count; });
  return count;
}

std::optional<Value> Value::find(std::string_view key) const {
  std::optional<Value> found;
  for_each_field([&](const Value& name, const Value& value) {
    if (name.equals(key)) found = value;
    return !found.has_value();
  });
  return found;
}

bool Walker::next(Value& element) {
  if (!move_past(',')) return false;
  element = take();
  return true;
}

bool Walker::next(Value& key, Value& value) {
  if (!next(key)) return false;
  move_past(':');
  value = take();
  return true;
}

// To the next token besides `separator`; false when that closes the container.
bool Walker::move_past(char separator) {
  while (is_space(*at_) || *at_ == separator) ++at_;
  return *at_ != ']' && *at_ != '}';
}

Value Walker::take() {
  const char* const start = at_;
  at_ = skip_value(at_, end_);
  return Value(std::string_view(start, static_cast<std::size_t>(at_ - start)));
}

base::Status pick_fields(const Value& object, std::span<const std::string_view> names,
                         std::span<std::optional<Value>> into) {
  using base::Errc;
  using base::Error;
  if (!object.is_object()) {
    return Error{Errc::invalid,
                 std::string("expected an object, not ").append(describe(object.kind()))};
  }
  std::string unescaped_key;
  Walker walker(object);
  for (Value key, value; walker.next(key, value);) {
    const auto plain = key.plain_string();
    if (!plain) unescaped_key = key.as_string();
    const auto name = std::ranges::find(names, plain ? *plain : unescaped_key);
    if (name == names.end()) continue;
    auto& field = into[static_cast<std::size_t>(name - names.begin())];
    if (field) {
      return Error{Errc::invalid,
                   std::string("the key \"").append(*name).append("\" stands twice")};
    }
    field = value;
  }
  return base::Done{};
}

}  // namespace fanfare::wire::json
