#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "wire/websocket/frame.hpp"

namespace fanfare::wire::websocket {

struct ClientFrame {
  Opcode opcode = Opcode::text;
  std::string payload{};
  bool is_final = true;
  bool rsv1 = false;
  MaskingKey key{'\x37', '\xfa', '\x21', '\x3d'};  // of the RFC's examples
};

/// A frame as a browser sends it. Masks byte by byte, to have something to compare with.
inline std::string client_frame(const ClientFrame& frame) {
  char header[kServerHeaderBytesMax];
  const std::size_t size = write_header(header, frame.opcode, frame.payload.size(), frame.rsv1);
  std::string bytes(header, size);
  if (!frame.is_final) bytes[0] = static_cast<char>(bytes[0] & 0x7f);
  bytes[1] = static_cast<char>(bytes[1] | 0x80);
  bytes.append(frame.key.data(), frame.key.size());
  for (std::size_t i = 0; i < frame.payload.size(); ++i) {
    bytes += static_cast<char>(frame.payload[i] ^ frame.key[i % 4]);
  }
  return bytes;
}

inline std::string client_close(CloseCode code, std::string_view reason = {}) {
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  return client_frame({.opcode = Opcode::close, .payload = payload.append(reason)});
}

}  // namespace fanfare::wire::websocket
