#include <string>

#include "wire/json/json.hpp"
#include "wire/json/utf8.hpp"

namespace fanfare::wire::json {
namespace {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

constexpr bool is_hex_digit(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

constexpr unsigned hex_value(char c) {
  return static_cast<unsigned>(is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
}

/// RFC 8259, one function per rule of its grammar. Each leaves `at` after what it has read, or
/// notes the flaw and returns false.
class Check {
 public:
  Check(std::string_view text, std::size_t depth_max) : text_(text), depth_left_(depth_max) {}

  bool whole_text() {
    if (text_.starts_with("\xEF\xBB\xBF")) return flaw("a byte order mark is not allowed");
    skip_space();
    start_ = at_;
    if (at_ == text_.size()) {
      what_ = "the text is empty";
      return false;
    }
    if (!value()) return false;
    stop_ = at_;
    skip_space();
    return at_ == text_.size() || flaw("nothing may follow the value");
  }

  [[nodiscard]] std::string_view value_text() const { return text_.substr(start_, stop_ - start_); }
  [[nodiscard]] bool is_too_deep() const { return is_too_deep_; }
  [[nodiscard]] std::string_view what() const { return what_; }
  [[nodiscard]] std::size_t where() const { return at_; }

 private:
  // NUL stands for the end: outside of strings it fits no rule, inside it is refused.
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  bool flaw(std::string_view what) {
    what_ = at_ < text_.size() ? what : "the text ends too early";
    return false;
  }

  bool accept(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }

  void skip_space() {
    while (peek() == ' ' || peek() == '\n' || peek() == '\r' || peek() == '\t') ++at_;
  }

  bool value() {
    switch (peek()) {
      case '{':
        return nested(&Check::object);
      case '[':
        return nested(&Check::array);
      case '"':
        return string();
      case 't':
        return literal("true");
      case 'f':
        return literal("false");
      case 'n':
        return literal("null");
      default:
        return number();
    }
  }

  bool nested(bool (Check::*container)()) {
    if (depth_left_ == 0) {
      is_too_deep_ = true;
      return false;
    }
    --depth_left_;
    const bool is_fine = (this->*container)();
    ++depth_left_;
    return is_fine;
  }

  bool object() {
    ++at_;
    skip_space();
    if (accept('}')) return true;
    do {
      skip_space();
      if (peek() != '"') return flaw("expected a key in double quotes");
      if (!string()) return false;
      skip_space();
      if (!accept(':')) return flaw("expected ':' after the key");
      skip_space();
      if (!value()) return false;
      skip_space();
    } while (accept(','));
    return accept('}') || flaw("expected ',' or '}'");
  }

  bool array() {
    ++at_;
    skip_space();
    if (accept(']')) return true;
    do {
      skip_space();
      if (!value()) return false;
      skip_space();
    } while (accept(','));
    return accept(']') || flaw("expected ',' or ']'");
  }

  bool literal(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return flaw("expected true, false or null");
    at_ += word.size();
    return true;
  }

  bool digits(std::string_view what) {
    if (!is_digit(peek())) return flaw(what);
    while (is_digit(peek())) ++at_;
    return true;
  }

  bool number() {
    const bool is_negative = accept('-');
    if (accept('0')) {
      if (is_digit(peek())) return flaw("a number must not begin with 0");
    } else if (!digits(is_negative ? "expected a digit after '-'" : "expected a value")) {
      return false;
    }
    if (accept('.') && !digits("expected a digit after the decimal point")) return false;
    if (!accept('e') && !accept('E')) return true;
    if (!accept('+')) accept('-');
    return digits("expected a digit in the exponent");
  }

  bool string() {
    ++at_;
    while (!accept('"')) {
      const auto byte = static_cast<unsigned char>(peek());
      if (byte == '\\') {
        if (!escape()) return false;
      } else if (byte < 0x20) {
        return flaw("a control character in a string must be escaped");
      } else if (const std::size_t length = utf8_length(text_.substr(at_)); length > 0) {
        at_ += length;
      } else {
        return flaw("the text is not UTF-8");
      }
    }
    return true;
  }

  bool escape() {
    const char letter = peek(1);
    if (letter == 'u') return unicode_escape();
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    if (kLetters.find(letter) == std::string_view::npos) return flaw("there is no such escape");
    at_ += 2;
    return true;
  }

  // Section 7 lets halves of a pair stand alone, section 8.2 warns of what then happens: each
  // reader makes something else of it, and it has no form in UTF-8. So they are refused.
  bool unicode_escape() {
    unsigned unit = 0;
    if (!code_unit(unit)) return flaw("expected four hexadecimal digits after \\u");
    if (unit >= 0xDC00 && unit <= 0xDFFF) return flaw("half of a surrogate pair stands alone");
    if (unit >= 0xD800 && unit <= 0xDBFF) {
      unsigned low = 0;
      const bool is_pair = code_unit(low, 6) && low >= 0xDC00 && low <= 0xDFFF;
      if (!is_pair) return flaw("half of a surrogate pair stands alone");
      at_ += 6;
    }
    at_ += 6;
    return true;
  }

  bool code_unit(unsigned& unit, std::size_t ahead = 0) const {
    if (peek(ahead) != '\\' || peek(ahead + 1) != 'u') return false;
    for (std::size_t i = 2; i < 6; ++i) {
      if (!is_hex_digit(peek(ahead + i))) return false;
      unit = unit * 16 + hex_value(peek(ahead + i));
    }
    return true;
  }

  std::string_view text_;
  std::size_t depth_left_;
  std::size_t at_ = 0;
  std::size_t start_ = 0;
  std::size_t stop_ = 0;
  std::string_view what_;
  bool is_too_deep_ = false;
};

}  // namespace

base::Result<Value> validate(std::string_view text, std::size_t depth_max) {
  using base::Errc;
  using base::Error;
  Check check(text, depth_max);
  if (check.whole_text()) return Value(check.value_text());
  if (check.is_too_deep()) {
    return Error{Errc::invalid,
                 "the JSON is nested deeper than " + std::to_string(depth_max) + " levels"};
  }
  std::string detail = "not valid JSON at byte " + std::to_string(check.where()) + ": ";
  return Error{Errc::invalid, detail.append(check.what())};
}

}  // namespace fanfare::wire::json
