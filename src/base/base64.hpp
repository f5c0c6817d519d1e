#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fanfare::base {

/// The two alphabets of RFC 4648: the standard one (section 4: `+`, `/`), in which people are given
/// keys, and the URL one (section 5: `-`, `_`), in which tokens are written.
///
/// Decoding is strict, so that each value has exactly one spelling per choice of padding: no spaces
/// or line ends, no letter of the other alphabet, no bits set after the last byte (section 3.5).
/// Padding may be absent, because copied text often loses it, but when present it must be right.
std::optional<std::string> decode_base64(std::string_view text);
std::optional<std::string> decode_base64url(std::string_view text);

/// With padding.
std::string encode_base64(std::string_view bytes);
/// Without padding, as RFC 7515 section 2 has it in tokens.
std::string encode_base64url(std::string_view bytes);

}  // namespace fanfare::base
