#include "amplify/packing.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "wire/websocket/client_frame.hpp"

namespace fanfare::amplify {
namespace {

using wire::websocket::client_frame;
using wire::websocket::Opcode;

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::string percent_encoded(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    if (is_plain(c))
      encoded += c;
    else
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return encoded;
}

std::string chunked(std::string_view path, std::string_view body) {
  std::string bytes = fmt::format(
      "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Transfer-Encoding: chunked\r\n\r\n",
      path);
  // One byte in each: the most work for the least.
  for (const char c : body) bytes += fmt::format("1\r\n{}\r\n", c);
  return bytes + "0\r\n\r\n";
}

/// The head of a client's frame that promises more bytes than will come.
std::string promise_of(std::size_t size, std::string_view beginning) {
  std::string frame = client_frame({.opcode = Opcode::text, .payload = std::string(size, ' ')});
  frame.resize(frame.size() - size + std::min(size, beginning.size()));
  return frame;
}

}  // namespace

std::string post_bytes(std::string_view path, std::string_view type, std::string_view body,
                       std::string_view more_headers) {
  return fmt::format(
      "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {}\r\nContent-Length: {}\r\n{}\r\n{}",
      path, type, body.size(), more_headers, body);
}

std::string get_bytes(std::string_view target, std::string_view more_headers) {
  return fmt::format("GET {} HTTP/1.1\r\nHost: x\r\n{}\r\n", target, more_headers);
}

std::string upgrade_bytes(std::string_view path, bool offers_deflate) {
  return get_bytes(
      path, fmt::format("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{}",
                        offers_deflate ? "Sec-WebSocket-Extensions: permessage-deflate; "
                                         "client_no_context_takeover\r\n"
                                       : ""));
}

std::string Packing::pack(const Step& step, Peer::Kind kind, std::string_view path,
                          std::string_view text) {
  std::string bytes = kind == Peer::Kind::http ? request(step, path, text)
                                               : frames(step, kind == Peer::Kind::deflate, text);
  if (step.text("half") == "yes") bytes.resize(bytes.size() / 2);
  return bytes;
}

std::string Packing::request(const Step& step, std::string_view path, std::string_view text) const {
  const std::string_view wrap = step.text("wrap", "json");
  if (wrap == "form") {
    return post_bytes(path, "application/x-www-form-urlencoded",
                      "message=" + percent_encoded(text));
  }
  if (wrap == "jsonp") {
    return get_bytes(fmt::format("{}?message={}&jsonp={}", path, percent_encoded(text),
                                 std::string(step.number("size", 16), 'j')));
  }
  if (wrap == "chunked") return chunked(path, text);
  return post_bytes(path, wrap == "text" ? "text/plain" : "application/json", text);
}

std::string Packing::frames(const Step& step, bool is_compressed, std::string_view text) {
  if (is_compressed) spent_.inflated_bytes += text.size();
  const std::string payload = is_compressed ? deflater_.compress(text) : std::string(text);
  const std::size_t count = std::clamp<std::size_t>(step.number("fragments", 1), 1,
                                                    std::max<std::size_t>(1, payload.size()));
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t begin = payload.size() * i / count;
    const std::size_t end = payload.size() * (i + 1) / count;
    bytes += client_frame({.opcode = i == 0 ? Opcode::text : Opcode::continuation,
                           .payload = payload.substr(begin, end - begin),
                           .is_final = i + 1 == count,
                           .rsv1 = is_compressed && i == 0});
  }
  return bytes;
}

std::string Packing::raw(const Step& step, Peer::Kind kind, std::string_view path) {
  const std::string_view what = step.text("what", "junk");
  const std::size_t size = step.number("size", 100);
  const std::string filling(size, ' ');
  if (what == "half-head") return get_bytes(path).substr(0, 20) + std::string(size, 'h');
  if (what == "half-body") {
    return post_bytes(path, "application/json", filling + std::string(64, ' '))
        .substr(0, size + 100);
  }
  if (what == "half-chunk") return chunked(path, filling).substr(0, size + 100);
  if (what == "half-frame") return promise_of(size + 64, filling);
  if (what == "half-message")
    return client_frame({.opcode = Opcode::text, .payload = filling, .is_final = false});
  if (what == "empty-frames") {
    std::string bytes = client_frame({.opcode = Opcode::text, .is_final = false});
    for (std::size_t i = 0; i < size; ++i)
      bytes += client_frame({.opcode = Opcode::continuation, .is_final = false});
    return bytes;
  }
  if (what == "ping") {
    return client_frame(
        {.opcode = Opcode::ping, .payload = filling.substr(0, std::min<std::size_t>(size, 125))});
  }
  if (what == "bomb") {
    spent_.inflated_bytes += size;
    return client_frame(
        {.payload = deflater_.compress('[' + filling + R"({"channel":"/x"}])"), .rsv1 = true});
  }
  if (what == "lines") return std::string(size, '\n');
  if (what == "goodbye") return wire::websocket::client_close(wire::websocket::kNormalClosure);
  return std::string(size, kind == Peer::Kind::http ? '\x01' : '\xff');  // junk
}

}  // namespace fanfare::amplify
