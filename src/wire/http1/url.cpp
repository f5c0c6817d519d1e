#include "wire/http1/url.hpp"

#include "wire/http1/text.hpp"

namespace fanfare::wire::http1 {

std::optional<std::string> percent_decode(std::string_view text, Plus plus) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
      if (high < 0 || low < 0) return std::nullopt;
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      decoded += c == '+' && plus == Plus::is_space ? ' ' : c;
    }
  }
  return decoded;
}

std::optional<std::string> FormField::name() const {
  return percent_decode(raw_name, Plus::is_space);
}

std::optional<std::string> FormField::value() const {
  return percent_decode(raw_value, Plus::is_space);
}

void FormFields::Iterator::advance() {
  while (!rest_.empty()) {
    std::string_view value = cut(rest_, '&');
    if (value.empty()) continue;
    const std::string_view name = cut(value, '=');
    field_ = {name, value};
    return;
  }
  is_end_ = true;
}

std::optional<std::string> form_value(std::string_view text, std::string_view name) {
  for (const FormField field : form_fields(text)) {
    if (field.name() == name) return field.value();
  }
  return std::nullopt;
}

}  // namespace fanfare::wire::http1
