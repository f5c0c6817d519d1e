#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace fanfare::wire::json {

/// Containers inside containers that a text may hold. Ours nest less than ten; 64 is what Bayeux
/// servers allow, and small enough for a walk that recurses.
inline constexpr std::size_t kDepthMax = 64;

enum class Kind { object, array, string, number, boolean, null };

/// For sentences: "an object", "a number", "null".
std::string_view describe(Kind kind) noexcept;

/// One value inside a text that Parser::parse() or validate() has found to be JSON (RFC 8259). It
/// is a view: it lives as long as that text does, and costs what a string_view costs.
///
/// Nothing is decoded until it is asked for, so data can be forwarded as it came: numbers keep
/// their digits, objects their order and their duplicate keys.
///
/// Questions that do not fit the kind (the fields of a number) have empty answers.
/// Cost: every question is linear in the bytes of this value, and allocates only for as_string().
class Value {
 public:
  /// `null`.
  Value() = default;

  [[nodiscard]] Kind kind() const noexcept;
  [[nodiscard]] bool is_object() const noexcept { return raw_.front() == '{'; }
  [[nodiscard]] bool is_array() const noexcept { return raw_.front() == '['; }
  [[nodiscard]] bool is_string() const noexcept { return raw_.front() == '"'; }
  [[nodiscard]] bool is_number() const noexcept { return kind() == Kind::number; }
  [[nodiscard]] bool is_boolean() const noexcept { return kind() == Kind::boolean; }
  [[nodiscard]] bool is_null() const noexcept { return raw_.front() == 'n'; }

  /// The bytes of this value as they came, without the whitespace around it.
  [[nodiscard]] std::string_view raw() const noexcept { return raw_; }

  /// The text of a string, escapes resolved; "" for every other kind.
  [[nodiscard]] std::string as_string() const;
  /// The same without a copy, for a string that holds no escapes.
  [[nodiscard]] std::optional<std::string_view> plain_string() const noexcept;
  /// Whether this is a string with just this text, however it is escaped.
  [[nodiscard]] bool equals(std::string_view text) const;

  [[nodiscard]] std::optional<bool> as_bool() const noexcept;
  /// An integer without fraction or exponent that fits; `1.0` and `1e3` are none.
  [[nodiscard]] std::optional<std::int64_t> as_int64() const noexcept;
  /// Any number, rounded. Beyond the range of a double: an infinity, or 0, as in JavaScript.
  [[nodiscard]] std::optional<double> as_double() const;

  /// Calls `visit(key, value)` for each field of an object, in order; the key is a string. A
  /// visitor that returns bool ends the walk with `false`.
  template <typename Visitor>
  void for_each_field(Visitor&& visit) const;

  /// Calls `visit(value)` for each element of an array, in order, likewise.
  template <typename Visitor>
  void for_each_element(Visitor&& visit) const;

  [[nodiscard]] std::size_t element_count() const;

  /// The first field named `key`. Where two parties could each pick another of two equal keys (and
  /// so disagree on what was signed or checked), use pick_fields().
  [[nodiscard]] std::optional<Value> find(std::string_view key) const;

 private:
  friend class Walker;
  friend class Parser;
  friend base::Result<Value> validate(std::string_view text, std::size_t depth_max);

  explicit Value(std::string_view raw) : raw_(raw) {}

  // Borrowed; one valid JSON value, so never empty.
  std::string_view raw_ = "null";
};

/// Steps through the direct children of one object or array (nothing else has any). For walks that
/// want to return from the middle; the others read better with for_each_field().
class Walker {
 public:
  explicit Walker(const Value& container)
      : at_(container.raw_.data() + 1), end_(container.raw_.data() + container.raw_.size()) {}

  /// Of an array: the next element; false after the last.
  bool next(Value& element);
  /// Of an object: the next field.
  bool next(Value& key, Value& value);

 private:
  bool move_past(char separator);
  Value take();

  // Borrowed from the container's text. The text is valid, so its closing bracket stops every scan.
  const char* at_;
  const char* end_;
};

template <typename Visitor>
void Value::for_each_field(Visitor&& visit) const {
  if (!is_object()) return;
  Walker walker(*this);
  for (Value key, value; walker.next(key, value);) {
    if constexpr (std::is_void_v<decltype(visit(key, value))>) {
      visit(key, value);
    } else if (!visit(key, value)) {
      return;
    }
  }
}

template <typename Visitor>
void Value::for_each_element(Visitor&& visit) const {
  if (!is_array()) return;
  Walker walker(*this);
  for (Value element; walker.next(element);) {
    if constexpr (std::is_void_v<decltype(visit(element))>) {
      visit(element);
    } else if (!visit(element)) {
      return;
    }
  }
}

/// Takes the fields called `names` out of `object` in one walk; other fields are ignored. Refuses
/// anything but an object, and an object in which one of the names stands twice.
base::Status pick_fields(const Value& object, std::span<const std::string_view> names,
                         std::span<std::optional<Value>> into);

/// The same for names known here: `auto fields = pick_fields<2>(item, {"channel", "id"});`
template <std::size_t kCount>
base::Result<std::array<std::optional<Value>, kCount>> pick_fields(
    const Value& object, const std::array<std::string_view, kCount>& names) {
  std::array<std::optional<Value>, kCount> fields;
  if (auto picked = pick_fields(object, names, fields); !picked) return std::move(picked.error());
  return fields;
}

/// Checks `text` in place, byte by byte; the value is a view into `text`. No memory and no set-up:
/// the choice for a text now and then, and for short ones. The errors are those of Parser::parse().
base::Result<Value> validate(std::string_view text, std::size_t depth_max = kDepthMax);

/// Checks texts at gigabytes a second, and allocates only for the largest yet (up to 30 bytes of
/// memory for each byte of it, kept).
///
/// Threads: one per worker.
class Parser {
 public:
  explicit Parser(std::size_t depth_max = kDepthMax);
  ~Parser();
  Parser(Parser&&) noexcept;
  Parser& operator=(Parser&&) noexcept;

  /// Accepts exactly one JSON value with whitespace around it: RFC 8259 to the letter, valid UTF-8
  /// (no byte order mark), no lone surrogates, numbers of any length, at most `depth_max` levels.
  /// The value is a view into the parser's own copy of `text`, good until the next parse.
  ///
  /// An error is `invalid`, with a sentence for whoever wrote the
  /// text.
  base::Result<Value> parse(std::string_view text);
  /// Gives the last text away, with all values that look at it: they live as long as this does.
  std::vector<char> take_text();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Appends `text` as a JSON string, quotes included. Bytes that are not UTF-8 become U+FFFD, so
/// what comes out is valid whatever goes in.
void append_quoted(std::string& out, std::string_view text);
std::string quoted(std::string_view text);

/// The same JSON without line breaks, to stand on one line of an event stream. In valid JSON a raw
/// line break is always whitespace between tokens: inside strings it must be escaped.
std::string single_line(std::string_view raw);

}  // namespace fanfare::wire::json
