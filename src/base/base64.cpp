#include "base/base64.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace fanfare::base {
namespace {

constexpr std::string_view kStandard =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrl =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::uint8_t kNoDigit = 0xff;
using Digits = std::array<std::uint8_t, 256>;

constexpr Digits digits_of(std::string_view alphabet) {
  Digits digits{};
  for (auto& digit : digits) digit = kNoDigit;
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    digits[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return digits;
}

constexpr Digits kStandardDigits = digits_of(kStandard);
constexpr Digits kUrlDigits = digits_of(kUrl);

// Takes away the padding; false when it is there but does not fill the last group of four.
bool drop_padding(std::string_view& text) {
  const std::size_t padded_size = text.size();
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  const std::size_t padding = padded_size - text.size();
  return padding == 0 || (padding <= 2 && padded_size % 4 == 0);
}

std::optional<std::string> decode(std::string_view text, const Digits& digits) {
  // One digit alone in the last group holds 6 bits, less than a byte.
  if (!drop_padding(text) || text.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  int bit_count = 0;
  for (const char letter : text) {
    const std::uint8_t digit = digits[static_cast<unsigned char>(letter)];
    if (digit == kNoDigit) return std::nullopt;
    bits = (bits << 6) | digit;
    bit_count += 6;
    if (bit_count < 8) continue;
    bit_count -= 8;
    bytes.push_back(static_cast<char>(bits >> bit_count));
    bits &= (1U << bit_count) - 1;
  }
  if (bits != 0) return std::nullopt;
  return bytes;
}

std::string encode(std::string_view bytes, std::string_view alphabet) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  std::uint32_t bits = 0;
  int bit_count = 0;
  for (const char byte : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(byte);
    bit_count += 8;
    while (bit_count >= 6) {
      bit_count -= 6;
      text.push_back(alphabet[(bits >> bit_count) & 63U]);
    }
    bits &= (1U << bit_count) - 1;
  }
  if (bit_count > 0) text.push_back(alphabet[(bits << (6 - bit_count)) & 63U]);
  return text;
}

}  // namespace

std::optional<std::string> decode_base64(std::string_view text) {
  return decode(text, kStandardDigits);
}

std::optional<std::string> decode_base64url(std::string_view text) {
  return decode(text, kUrlDigits);
}

std::string encode_base64(std::string_view bytes) {
  std::string text = encode(bytes, kStandard);
  text.append((4 - text.size() % 4) % 4, '=');
  return text;
}

std::string encode_base64url(std::string_view bytes) {
  return encode(bytes, kUrl);
}

}  // namespace fanfare::base
