#include "wire/json/utf8.hpp"

namespace fanfare::wire::json {
namespace {

constexpr unsigned byte_at(std::string_view text, std::size_t index) {
  return static_cast<unsigned char>(text[index]);
}

// What the second byte may be. It alone decides about overlong forms, surrogates and the upper end;
// later bytes are 80..BF.
constexpr bool fits_second(unsigned lead, unsigned second) {
  switch (lead) {
    case 0xE0:
      return second >= 0xA0 && second <= 0xBF;
    case 0xED:
      return second >= 0x80 && second <= 0x9F;
    case 0xF0:
      return second >= 0x90 && second <= 0xBF;
    case 0xF4:
      return second >= 0x80 && second <= 0x8F;
    default:
      return second >= 0x80 && second <= 0xBF;
  }
}

constexpr std::size_t length_by_lead(unsigned lead) {
  if (lead < 0x80) return 1;
  if (lead < 0xC2) return 0;
  if (lead < 0xE0) return 2;
  if (lead < 0xF0) return 3;
  return lead < 0xF5 ? 4 : 0;
}

}  // namespace

std::size_t utf8_length(std::string_view text) noexcept {
  if (text.empty()) return 0;
  const unsigned lead = byte_at(text, 0);
  const std::size_t length = length_by_lead(lead);
  if (length > text.size()) return 0;
  if (length > 1 && !fits_second(lead, byte_at(text, 1))) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((byte_at(text, i) & 0xC0) != 0x80) return 0;
  }
  return length;
}

void append_utf8(std::string& out, char32_t point) {
  const auto append = [&out](char32_t byte) { out += static_cast<char>(byte); };
  const auto append_tail = [&](unsigned shift) { append(0x80 | ((point >> shift) & 0x3F)); };
  if (point < 0x80) {
    append(point);
  } else if (point < 0x800) {
    append(0xC0 | (point >> 6));
    append_tail(0);
  } else if (point < 0x10000) {
    append(0xE0 | (point >> 12));
    append_tail(6);
    append_tail(0);
  } else {
    append(0xF0 | (point >> 18));
    append_tail(12);
    append_tail(6);
    append_tail(0);
  }
}

}  // namespace fanfare::wire::json
