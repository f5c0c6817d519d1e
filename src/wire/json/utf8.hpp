#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fanfare::wire::json {

/// Bytes of the character that `text` begins with (RFC 3629 section 4); 0 when it begins with none:
/// a cut or overlong sequence, a surrogate, something beyond U+10FFFF, or an empty text.
std::size_t utf8_length(std::string_view text) noexcept;

/// Appends `point`, which is no surrogate.
void append_utf8(std::string& out, char32_t point);

}  // namespace fanfare::wire::json
