#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace fanfare::wire::websocket {

enum class Opcode : std::uint8_t {
  continuation = 0x0,
  text = 0x1,
  binary = 0x2,
  close = 0x8,
  ping = 0x9,
  pong = 0xa,
};

constexpr bool is_control(Opcode opcode) noexcept {
  return (static_cast<std::uint8_t>(opcode) & 0x8) != 0;
}

/// Why a connection closes (RFC 6455 section 7.4.1 and the IANA registry). Applications add their
/// own from 3000 to 4999, so a code stays a number.
using CloseCode = std::uint16_t;
inline constexpr CloseCode kNormalClosure = 1000;
inline constexpr CloseCode kGoingAway = 1001;
inline constexpr CloseCode kProtocolError = 1002;
inline constexpr CloseCode kUnsupportedData = 1003;
/// Stands for a close frame without a code; never on the wire.
inline constexpr CloseCode kNoCloseCode = 1005;
inline constexpr CloseCode kInvalidPayload = 1007;
inline constexpr CloseCode kPolicyViolation = 1008;
inline constexpr CloseCode kMessageTooBig = 1009;
inline constexpr CloseCode kInternalError = 1011;
inline constexpr CloseCode kServiceRestart = 1012;
inline constexpr CloseCode kTryAgainLater = 1013;

/// Whether a peer may put this code on the wire.
bool is_sendable(CloseCode code) noexcept;

/// In the order of the wire, not of the machine.
using MaskingKey = std::array<char, 4>;

/// The header of one frame from a client (RFC 6455 section 5.2).
struct FrameHeader {
  std::uint64_t payload_length = 0;
  MaskingKey masking_key{};
  Opcode opcode = Opcode::text;
  bool is_final = true;
  /// The first frame of a compressed message (RFC 7692 section 6). Whether compression was agreed
  /// on is for the caller to know.
  bool rsv1 = false;
  std::uint8_t header_length = 0;
};

/// 2 bytes, up to 8 of length, 4 of masking key.
inline constexpr std::size_t kHeaderBytesMax = 14;
/// Section 5.5.
inline constexpr std::size_t kControlPayloadMax = 125;

struct FrameHeaderResult {
  enum State : std::uint8_t { need_more, complete, violation };
  State state = need_more;
  FrameHeader header;
  /// For a violation: what the client did, of static storage. Every one closes with 1002.
  std::string_view reason;
};

/// Reads the header of one client frame from the front of `input`. Pure: the caller keeps the bytes
/// and calls again with more. What the first two bytes give away is refused without the others.
FrameHeaderResult parse_frame_header(std::string_view input) noexcept;

/// Applies, which is also to undo, the mask (section 5.3) in place. `offset` is how far into its
/// frame's payload `bytes` begins.
void apply_mask(std::span<char> bytes, const MaskingKey& key, std::size_t offset = 0) noexcept;

/// Bytes that write_header() may need: a server's frames carry no masking key.
inline constexpr std::size_t kServerHeaderBytesMax = 10;

/// Writes the header of a final, unmasked frame to `out` (kServerHeaderBytesMax bytes of room) and
/// returns its length. `rsv1` marks a compressed payload.
std::size_t write_header(char* out, Opcode opcode, std::uint64_t payload_length,
                         bool rsv1 = false) noexcept;

/// A whole frame from a server.
std::string encode_frame(Opcode opcode, std::string_view payload, bool rsv1 = false);

/// A close frame; kNoCloseCode makes it an empty one. A reason longer than the 123 bytes that fit
/// is cut between two characters.
std::string encode_close(CloseCode code, std::string_view reason = {});

}  // namespace fanfare::wire::websocket
