#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fanfare::wire::http1 {

enum class Plus { literal, is_space };

/// Undoes `%41`. Nothing if a '%' is not followed by two hexadecimal digits. `Plus::is_space` is
/// for forms and queries.
std::optional<std::string> percent_decode(std::string_view text, Plus plus = Plus::literal);

/// One field of a form, still escaped: decoding is paid for only where someone wants the text.
struct FormField {
  std::string_view raw_name;
  std::string_view raw_value;

  [[nodiscard]] std::optional<std::string> name() const;
  [[nodiscard]] std::optional<std::string> value() const;
};

/// The fields of an `application/x-www-form-urlencoded` body or of a query, in their order,
/// repeated names kept:
///
///   for (const FormField field : form_fields(body)) …
///
/// Empty fields (`a=1&&b=2`) are skipped; a field without '=' has an empty value.
class FormFields {
 public:
  explicit FormFields(std::string_view text) : text_(text) {}

  class Iterator {
   public:
    explicit Iterator(std::string_view rest) : rest_(rest) { advance(); }
    FormField operator*() const { return field_; }
    Iterator& operator++() {
      advance();
      return *this;
    }
    /// Only good for asking whether this is the end.
    bool operator!=(const Iterator& other) const { return is_end_ != other.is_end_; }

   private:
    void advance();

    std::string_view rest_;
    FormField field_;
    bool is_end_ = false;
  };

  [[nodiscard]] Iterator begin() const { return Iterator(text_); }
  [[nodiscard]] static Iterator end() { return Iterator({}); }

 private:
  std::string_view text_;  // the caller's
};

inline FormFields form_fields(std::string_view text) {
  return FormFields(text);
}

/// The decoded value of the first field of that name; nothing if there is none, or if its escapes
/// are broken.
std::optional<std::string> form_value(std::string_view text, std::string_view name);

}  // namespace fanfare::wire::http1
