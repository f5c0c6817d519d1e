#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wire/websocket/frame.hpp"

/// The client's side of the two codecs, as much of it as a driver needs. (The server's codecs read
/// requests and masked frames; these read answers and unmasked ones.)
namespace fanfare::server::cli::bench {

struct HttpAnswer {
  int status = 0;
  std::string_view head;
  /// Without its chunks' sizes.
  std::string_view body;
  /// How much of the input it took.
  std::size_t size = 0;
};

/// The answer at the front of `bytes`; nothing as long as it is not complete. `chunks` is where a
/// chunked body is put together. A broken one has status 0.
std::optional<HttpAnswer> read_answer(std::string_view bytes, std::string& chunks);

/// The value of a header of the answer's head, or empty. `name` in lower case.
std::string_view header_of(std::string_view head, std::string_view name);

struct ServerFrame {
  wire::websocket::Opcode opcode = wire::websocket::Opcode::text;
  std::string_view payload;
  std::size_t size = 0;
};

/// The frame at the front of `bytes`; nothing as long as it is not complete.
inline std::optional<ServerFrame> read_frame(std::string_view bytes) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (bytes.size() < 2) return {};
  std::size_t header = 2;
  std::uint64_t length = byte(1) & 0x7fU;
  if (length >= 126) {
    const std::size_t more = length == 126 ? 2 : 8;
    header += more;
    if (bytes.size() < header) return {};
    length = 0;
    for (std::size_t i = 2; i < header; ++i) length = length << 8 | byte(i);
  }
  if (bytes.size() - header < length) return {};
  return ServerFrame{static_cast<wire::websocket::Opcode>(byte(0) & 0xfU),
                     bytes.substr(header, length), header + length};
}

/// A frame from a client. The masking key is zero: frames can be made beforehand, and it is a key
/// like any other to the server.
std::string client_frame(wire::websocket::Opcode opcode, std::string_view payload);

/// The request that turns a connection into a WebSocket.
std::string upgrade_request(std::string_view host, std::string_view path,
                            std::string_view more_headers = {});

}  // namespace fanfare::server::cli::bench
