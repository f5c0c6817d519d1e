#include "wire/http1/request.hpp"

#include <algorithm>

#include "wire/http1/text.hpp"

namespace fanfare::wire::http1 {

std::optional<std::string_view> Request::header(std::string_view name) const {
  for (const Field& field : fields_) {
    if (iequals(text(field.name), name)) return text(field.value);
  }
  return std::nullopt;
}

std::string Request::header_list(std::string_view name) const {
  std::string list;
  for (const Field& field : fields_) {
    if (!iequals(text(field.name), name)) continue;
    if (!list.empty()) list += ", ";
    list += text(field.value);
  }
  return list;
}

bool Request::header_has_token(std::string_view name, std::string_view token) const {
  for (const Field& field : fields_) {
    if (!iequals(text(field.name), name)) continue;
    std::string_view rest = text(field.value);
    while (!rest.empty()) {
      if (iequals(trim(cut(rest, ',')), token)) return true;
    }
  }
  return false;
}

bool Request::keep_alive() const {
  if (header_has_token("Connection", "close")) return false;
  return !is_http_1_0_ || header_has_token("Connection", "keep-alive");
}

std::size_t Request::count(std::string_view name) const {
  const auto has_name = [&](const Field& field) { return iequals(text(field.name), name); };
  return static_cast<std::size_t>(std::count_if(fields_.begin(), fields_.end(), has_name));
}

}  // namespace fanfare::wire::http1
