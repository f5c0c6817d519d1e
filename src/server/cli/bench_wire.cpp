#include "server/cli/bench_wire.hpp"

#include <charconv>

#include <fmt/format.h>

#include "wire/http1/text.hpp"

namespace fanfare::server::cli::bench {
namespace {

using wire::http1::cut;
using wire::http1::iequals;
using wire::http1::trim;

constexpr std::string_view kHeadEnd = "\r\n\r\n";

template <typename Number>
std::optional<Number> number(std::string_view text, int base = 10) {
  Number value{};
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (result.ec != std::errc{}) return {};
  return value;
}

HttpAnswer broken(std::string_view bytes) {
  return {0, {}, {}, bytes.size()};
}

/// How many bytes the chunked body takes; nothing as long as it is not complete.
std::optional<std::size_t> read_chunks(std::string_view bytes, std::string& into) {
  into.clear();
  std::size_t at = 0;
  while (true) {
    const auto line_end = bytes.find("\r\n", at);
    if (line_end == std::string_view::npos) return {};
    const auto size = number<std::size_t>(bytes.substr(at, line_end - at), 16).value_or(0);
    const std::size_t end = line_end + 2 + size + 2;  // for the last one, the empty trailer
    if (end > bytes.size()) return {};
    if (size == 0) return end;
    into.append(bytes.substr(line_end + 2, size));
    at = end;
  }
}

}  // namespace

std::string_view header_of(std::string_view head, std::string_view name) {
  while (!head.empty()) {
    std::string_view line = cut(head, '\n');
    const auto field = cut(line, ':');
    if (!iequals(field, name)) continue;
    if (line.ends_with('\r')) line.remove_suffix(1);
    return trim(line);
  }
  return {};
}

std::optional<HttpAnswer> read_answer(std::string_view bytes, std::string& chunks) {
  const auto head_end = bytes.find(kHeadEnd);
  if (head_end == std::string_view::npos) return {};
  const std::size_t head_size = head_end + kHeadEnd.size();
  HttpAnswer answer;
  answer.head = bytes.substr(0, head_end + 2);
  if (answer.head.size() < 12) return broken(bytes);
  answer.status = number<int>(answer.head.substr(9, 3)).value_or(0);

  if (iequals(header_of(answer.head, "transfer-encoding"), "chunked")) {
    const auto size = read_chunks(bytes.substr(head_size), chunks);
    if (!size) return {};
    answer.body = chunks;
    answer.size = head_size + *size;
    return answer;
  }
  const auto length = header_of(answer.head, "content-length");
  const auto body_size = length.empty() ? 0 : number<std::size_t>(length);
  if (!body_size) return broken(bytes);
  if (bytes.size() - head_size < *body_size) return {};
  answer.body = bytes.substr(head_size, *body_size);
  answer.size = head_size + *body_size;
  return answer;
}

std::string client_frame(wire::websocket::Opcode opcode, std::string_view payload) {
  constexpr char kMasked = '\x80';
  std::string frame(wire::websocket::kServerHeaderBytesMax, '\0');
  frame.resize(wire::websocket::write_header(frame.data(), opcode, payload.size()));
  frame[1] = static_cast<char>(frame[1] | kMasked);
  frame.append(4, '\0');
  frame += payload;
  return frame;
}

std::string upgrade_request(std::string_view host, std::string_view path,
                            std::string_view more_headers) {
  return fmt::format(
      "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ZmFuZmFyZSBiZW5jaCBydQ==\r\n{}\r\n",
      path, host, more_headers);
}

}  // namespace fanfare::server::cli::bench
