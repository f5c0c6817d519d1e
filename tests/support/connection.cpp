#include "support/connection.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "wire/websocket/client_frame.hpp"

namespace fanfare {
namespace {

using wire::websocket::client_frame;
using wire::websocket::Opcode;

std::optional<std::string_view> header(std::string_view head, std::string_view name) {
  std::size_t at = head.find(fmt::format("\r\n{}: ", name));
  if (at == std::string_view::npos) return std::nullopt;
  at += name.size() + 4;
  return head.substr(at, head.find("\r\n", at) - at);
}

std::size_t number(std::string_view text, int base) {
  std::size_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, base);
  return value;
}

}  // namespace

Connection::Connection(std::uint16_t port, int receive_bytes_max) {
  descriptor_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor_ < 0) throw std::runtime_error("no socket left");
  if (receive_bytes_max > 0) {
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &receive_bytes_max, sizeof receive_bytes_max);
  }
  const int on = 1;
  ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sockaddr generic{};
  static_assert(sizeof generic == sizeof address);
  std::memcpy(&generic, &address, sizeof address);
  // On one machine connecting is done when the call returns.
  if (::connect(descriptor_, &generic, sizeof generic) != 0) {
    const int error = errno;
    close();
    throw std::runtime_error(fmt::format("cannot connect: {}", std::strerror(error)));
  }
  ::fcntl(descriptor_, F_SETFL, O_NONBLOCK);
}

Connection::~Connection() {
  close();
}

void Connection::post(std::string_view path, std::string_view body, std::string_view more_headers) {
  write(
      fmt::format("POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                  "Content-Length: {}\r\n{}\r\n{}",
                  path, body.size(), more_headers, body));
}

void Connection::get(std::string_view target, std::string_view more_headers) {
  write(fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\n{}\r\n", target, more_headers));
}

void Connection::upgrade(std::string_view path) {
  get(path,
      "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
}

void Connection::send_text(std::string_view text) {
  write(client_frame({.opcode = Opcode::text, .payload = std::string(text)}));
}

void Connection::send_close() {
  write(wire::websocket::client_close(wire::websocket::kNormalClosure));
}

void Connection::write(std::string bytes) {
  output_ += bytes;
  flush();
}

void Connection::flush() {
  if (output_.empty() || !is_open()) return;
  const ssize_t count = ::send(descriptor_, output_.data(), output_.size(), MSG_NOSIGNAL);
  if (count > 0) {
    output_.erase(0, static_cast<std::size_t>(count));
  } else if (count < 0 && errno != EAGAIN && errno != EINTR) {
    output_.clear();  // reading will tell that the connection is broken
  }
}

void Connection::pull() {
  std::array<char, 64 * 1024> bytes{};
  while (is_open() && !has_ended_) {
    const ssize_t count = ::recv(descriptor_, bytes.data(), bytes.size(), 0);
    if (count > 0) {
      input_.append(bytes.data(), static_cast<std::size_t>(count));
      continue;
    }
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    has_ended_ = true;
    ended_cleanly_ = count == 0;
  }
}

std::vector<Arrival> Connection::take() {
  std::vector<Arrival> arrivals;
  bool has_more = true;
  while (has_more) {
    if (mode_ == Mode::http)
      has_more = take_answer(arrivals);
    else if (mode_ == Mode::websocket)
      has_more = take_frame(arrivals);
    else
      has_more = take_chunk(arrivals);
  }
  if (has_ended_ && !std::exchange(told_end_, true)) {
    const bool is_clean = ended_cleanly_ && (mode_ != Mode::event_stream || saw_last_chunk_);
    arrivals.push_back({Arrival::end, 0, {}, is_clean});
  }
  return arrivals;
}

bool Connection::take_answer(std::vector<Arrival>& into) {
  const std::size_t head_end = input_.find("\r\n\r\n");
  if (head_end == std::string::npos) return false;
  const std::string head = input_.substr(0, head_end + 2);
  const int status = static_cast<int>(number(std::string_view(head).substr(9, 3), 10));
  const std::size_t body_begin = head_end + 4;
  if (!head.starts_with("HTTP/1.1 ")) {  // for whom is that? The visitor will not know status 0
    into.push_back({Arrival::answer, 0, std::exchange(input_, {})});
    return true;
  }
  if (status == 101 || header(head, "Content-Type") == "text/event-stream") {
    mode_ = status == 101 ? Mode::websocket : Mode::event_stream;
    input_.erase(0, body_begin);
    into.push_back({Arrival::upgraded, status});
    return true;
  }
  const std::size_t length = number(header(head, "Content-Length").value_or("0"), 10);
  if (input_.size() < body_begin + length) return false;
  into.push_back({Arrival::answer, status, input_.substr(body_begin, length)});
  input_.erase(0, body_begin + length);
  return true;
}

bool Connection::take_frame(std::vector<Arrival>& into) {
  // A server's frame: never masked, and ours never fragments (RFC 6455 section 5.2).
  if (input_.size() < 2) return false;
  const auto byte = [this](std::size_t at) { return static_cast<unsigned char>(input_[at]); };
  std::size_t length = byte(1) & 0x7fU;
  std::size_t header_length = 2;
  if (length >= 126) {
    header_length = length == 126 ? 4 : 10;
    if (input_.size() < header_length) return false;
    length = 0;
    for (std::size_t at = 2; at < header_length; ++at) length = (length << 8U) | byte(at);
  }
  if (input_.size() < header_length + length) return false;
  const auto opcode = static_cast<Opcode>(byte(0) & 0x0fU);
  std::string payload = input_.substr(header_length, length);
  input_.erase(0, header_length + length);
  if (opcode == Opcode::text) {
    into.push_back({Arrival::message, 0, std::move(payload)});
  } else if (opcode == Opcode::ping) {
    write(client_frame({.opcode = Opcode::pong, .payload = payload}));
  } else if (opcode == Opcode::close) {
    int code = 0;
    if (payload.size() >= 2) {
      code = (static_cast<unsigned char>(payload[0]) << 8) | static_cast<unsigned char>(payload[1]);
    }
    into.push_back(
        {Arrival::close, code, payload.substr(std::min<std::size_t>(2, payload.size()))});
  }
  return true;
}

bool Connection::take_chunk(std::vector<Arrival>& into) {
  // The server puts one event into one chunk.
  const std::size_t line_end = input_.find("\r\n");
  if (line_end == std::string::npos) return false;
  const std::size_t length = number(std::string_view(input_).substr(0, line_end), 16);
  if (input_.size() < line_end + 2 + length + 2) return false;
  const std::string event = input_.substr(line_end + 2, length);
  input_.erase(0, line_end + 2 + length + 2);
  constexpr std::string_view kData = "data: ";
  if (length == 0) saw_last_chunk_ = true;
  if (event.starts_with(kData)) {
    into.push_back(
        {Arrival::message, 0, event.substr(kData.size(), event.size() - kData.size() - 4)});
  }
  return true;
}

void Connection::close() {
  if (is_open()) ::close(std::exchange(descriptor_, -1));
}

void Connection::reset() {
  if (!is_open()) return;
  const linger at_once{1, 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

void Connection::half_close() {
  if (is_open()) ::shutdown(descriptor_, SHUT_WR);
}

}  // namespace fanfare
