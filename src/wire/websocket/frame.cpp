#include "wire/websocket/frame.hpp"

#include <algorithm>
#include <cstring>

namespace fanfare::wire::websocket {
namespace {

constexpr std::uint8_t kFinBit = 0x80;
constexpr std::uint8_t kRsv1Bit = 0x40;
constexpr std::uint8_t kOtherRsvBits = 0x30;
constexpr std::uint8_t kMaskBit = 0x80;
// In the place of a short length: the length follows in 2 or in 8 bytes.
constexpr std::uint8_t kLength16 = 126;
constexpr std::uint8_t kLength64 = 127;

std::uint8_t byte_at(std::string_view text, std::size_t at) {
  return static_cast<std::uint8_t>(text[at]);
}

std::uint64_t read_big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) value = value << 8 | byte_at(bytes, i);
  return value;
}

void write_big_endian(char* out, std::size_t size, std::uint64_t value) {
  for (std::size_t i = 0; i < size; ++i) {
    out[i] = static_cast<char>(value >> (8 * (size - 1 - i)) & 0xff);
  }
}

std::size_t extended_bytes(std::uint8_t short_length) {
  if (short_length == kLength16) return 2;
  return short_length == kLength64 ? 8 : 0;
}

bool is_known(Opcode opcode) {
  return opcode <= Opcode::binary || (opcode >= Opcode::close && opcode <= Opcode::pong);
}

/// What the first two bytes give away; empty if nothing is wrong with them.
std::string_view find_violation(const FrameHeader& header, std::uint8_t first,
                                std::uint8_t second) {
  if ((first & kOtherRsvBits) != 0) return "a reserved bit is set";
  if (!is_known(header.opcode)) return "the opcode is reserved";
  // RFC 7692 section 6: the mark of a compressed message stands on its first frame only.
  const bool begins_message = header.opcode == Opcode::text || header.opcode == Opcode::binary;
  if (header.rsv1 && !begins_message) return "a reserved bit is set";
  // Section 5.1: a server must close on a frame that is not masked.
  if ((second & kMaskBit) == 0) return "the frame is not masked";
  // Section 5.5.
  if (is_control(header.opcode)) {
    if (!header.is_final) return "a control frame is fragmented";
    if ((second & ~kMaskBit) > kControlPayloadMax) return "a control frame is too long";
  }
  return {};
}

/// Section 5.2: the shortest form only, and the highest bit stays 0.
std::string_view find_length_violation(std::uint64_t length, std::size_t bytes) {
  if (bytes == 2 && length < kLength16) return "the length is not in its shortest form";
  if (bytes == 8 && length <= 0xffff) return "the length is not in its shortest form";
  if (bytes == 8 && length >> 63 != 0) return "the length has its highest bit set";
  return {};
}

FrameHeaderResult violation(std::string_view reason) {
  return {FrameHeaderResult::violation, {}, reason};
}

}  // namespace

bool is_sendable(CloseCode code) noexcept {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}

FrameHeaderResult parse_frame_header(std::string_view input) noexcept {
  if (input.size() < 2) return {};
  const std::uint8_t first = byte_at(input, 0);
  const std::uint8_t second = byte_at(input, 1);

  FrameHeader header;
  header.is_final = (first & kFinBit) != 0;
  header.rsv1 = (first & kRsv1Bit) != 0;
  header.opcode = static_cast<Opcode>(first & 0x0f);
  if (const auto reason = find_violation(header, first, second); !reason.empty()) {
    return violation(reason);
  }

  const auto short_length = static_cast<std::uint8_t>(second & ~kMaskBit);
  const std::size_t extended = extended_bytes(short_length);
  if (input.size() < 2 + extended) return {};
  header.payload_length = extended == 0 ? short_length : read_big_endian(input.substr(2, extended));
  if (const auto reason = find_length_violation(header.payload_length, extended); !reason.empty()) {
    return violation(reason);
  }

  header.header_length = static_cast<std::uint8_t>(2 + extended + header.masking_key.size());
  if (input.size() < header.header_length) return {};
  std::memcpy(header.masking_key.data(), input.data() + 2 + extended, header.masking_key.size());
  return {FrameHeaderResult::complete, header, {}};
}

void apply_mask(std::span<char> bytes, const MaskingKey& key, std::size_t offset) noexcept {
  // The key as the bytes at hand meet it, twice, for a word at a time: 8 bytes a step is what makes
  // unmasking disappear beside the read that brought them.
  std::array<char, 8> rotated{};
  for (std::size_t i = 0; i < rotated.size(); ++i) rotated[i] = key[(offset + i) % key.size()];
  std::uint64_t mask = 0;
  std::memcpy(&mask, rotated.data(), sizeof mask);

  char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= sizeof mask; at += sizeof mask, left -= sizeof mask) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    word ^= mask;
    std::memcpy(at, &word, sizeof word);
  }
  for (std::size_t i = 0; i < left; ++i) at[i] = static_cast<char>(at[i] ^ rotated[i]);
}

std::size_t write_header(char* out, Opcode opcode, std::uint64_t payload_length,
                         bool rsv1) noexcept {
  out[0] = static_cast<char>(kFinBit | (rsv1 ? kRsv1Bit : 0) | static_cast<std::uint8_t>(opcode));
  if (payload_length < kLength16) {
    out[1] = static_cast<char>(payload_length);
    return 2;
  }
  const bool fits_16_bits = payload_length <= 0xffff;
  const std::size_t extended = fits_16_bits ? 2 : 8;
  out[1] = static_cast<char>(fits_16_bits ? kLength16 : kLength64);
  write_big_endian(out + 2, extended, payload_length);
  return 2 + extended;
}

std::string encode_frame(Opcode opcode, std::string_view payload, bool rsv1) {
  std::array<char, kServerHeaderBytesMax> header{};
  const std::size_t header_size = write_header(header.data(), opcode, payload.size(), rsv1);
  std::string frame;
  frame.reserve(header_size + payload.size());
  return frame.append(header.data(), header_size).append(payload);
}

std::string encode_close(CloseCode code, std::string_view reason) {
  if (code == kNoCloseCode) return encode_frame(Opcode::close, {});
  constexpr std::size_t kReasonMax = kControlPayloadMax - sizeof code;
  if (reason.size() > kReasonMax) {
    std::size_t size = kReasonMax;
    // Not before a byte that continues a character.
    while (size > 0 && (byte_at(reason, size) & 0xc0) == 0x80) --size;
    reason = reason.substr(0, size);
  }
  std::string payload(sizeof code, '\0');
  write_big_endian(payload.data(), sizeof code, code);
  return encode_frame(Opcode::close, payload.append(reason));
}

}  // namespace fanfare::wire::websocket
