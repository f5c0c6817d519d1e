// A WebSocket server that sends every message back, made of nothing but our codecs and plain
// sockets, for conformance suites to talk to. It listens on a free port of 127.0.0.1, says which,
// serves one connection after the other, and ends when its standard input does.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <netinet/in.h>
#include <optional>
#include <poll.h>
#include <span>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "transport/websocket/upgrade.hpp"
#include "wire/http1/request.hpp"
#include "wire/http1/response.hpp"
#include "wire/websocket/deflate.hpp"
#include "wire/websocket/frame.hpp"
#include "wire/websocket/message_reader.hpp"

namespace {

namespace http1 = fanfare::wire::http1;
namespace websocket = fanfare::wire::websocket;
using websocket::Event;
using websocket::Opcode;

// The suite's largest message has 16 MiB.
constexpr std::size_t kMessageBytesMax = 32 * 1024 * 1024;
// A client that says nothing for so long has been forgotten.
constexpr int kPatienceSeconds = 30;

class Connection {
 public:
  explicit Connection(int descriptor) : descriptor_(descriptor) {
    const timeval patience{kPatienceSeconds, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { ::close(descriptor_); }

  void serve() {
    std::string unread;
    if (!accept(unread)) return;
    websocket::MessageReader reader(
        {.message_bytes_max = kMessageBytesMax, .deflate = deflate_.has_value()});
    std::span<char> bytes(unread);
    while (echo(reader, bytes)) {
      bytes = read();
      if (bytes.empty()) return;
    }
    // Closing over bytes that we have not read would take back our close frame.
    ::shutdown(descriptor_, SHUT_WR);
    while (!read().empty()) {
    }
  }

 private:
  /// Reads the request and answers it; `unread` is what came behind it.
  bool accept(std::string& unread) {
    http1::RequestParser parser{http1::RequestLimits{}};
    for (;;) {
      const std::span<char> bytes = read();
      if (bytes.empty()) return false;
      unread.append(bytes.data(), bytes.size());
      const http1::Progress progress = parser.feed(unread);
      unread.erase(0, progress.consumed);
      if (progress.state == http1::Progress::failed) return false;
      if (progress.state == http1::Progress::complete) break;
    }
    const http1::Request request = parser.take_request();
    const auto upgrade = fanfare::transport::websocket::accept_upgrade(request);
    deflate_ = upgrade.deflate;
    return write(encode(upgrade.response, http1::ResponseContext(request))) &&
           upgrade.is_accepted();
  }

  /// Answers everything in `bytes`; false when that closes the connection.
  bool echo(websocket::MessageReader& reader, std::span<char> bytes) {
    for (;;) {
      const Event event = reader.next(bytes, &inflater_);
      switch (event.kind) {
        case Event::need_more:
          return true;
        case Event::text:
        case Event::binary:
          if (!send_back(event)) return false;
          break;
        case Event::ping:
          if (!write(websocket::encode_frame(Opcode::pong, event.payload))) return false;
          break;
        case Event::pong:
          break;
        case Event::close:
          write(websocket::encode_close(event.code));
          return false;
        case Event::violation:
          write(websocket::encode_close(event.code, event.payload));
          return false;
      }
    }
  }

  bool send_back(const Event& event) {
    const Opcode opcode = event.kind == Event::text ? Opcode::text : Opcode::binary;
    if (!deflate_) return write(websocket::encode_frame(opcode, event.payload));
    const std::string payload = deflater_.compress(event.payload, deflate_->server_window_bits);
    return write(websocket::encode_frame(opcode, payload, /*rsv1=*/true));
  }

  std::span<char> read() {
    const ssize_t count = ::recv(descriptor_, scratch_.data(), scratch_.size(), 0);
    return std::span(scratch_).first(static_cast<std::size_t>(std::max<ssize_t>(0, count)));
  }

  bool write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  int descriptor_;
  std::optional<websocket::DeflateAgreement> deflate_;
  websocket::Inflater inflater_;
  websocket::Deflater deflater_;
  std::array<char, 64 * 1024> scratch_{};
};

/// Returns the listening descriptor, and its port.
std::pair<int, std::uint16_t> listen_somewhere() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sockaddr generic{};
  static_assert(sizeof generic == sizeof address);
  std::memcpy(&generic, &address, sizeof address);
  socklen_t size = sizeof generic;
  const int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
  if (descriptor < 0 || ::bind(descriptor, &generic, size) != 0 || ::listen(descriptor, 16) != 0 ||
      ::getsockname(descriptor, &generic, &size) != 0) {
    return {-1, std::uint16_t{0}};
  }
  std::memcpy(&address, &generic, sizeof address);
  return {descriptor, ntohs(address.sin_port)};
}

}  // namespace

int main() {
  const auto [listener, port] = listen_somewhere();
  if (listener < 0) {
    fmt::print(stderr, "websocket_echo: cannot listen\n");
    return 1;
  }
  fmt::print("{}\n", port);
  std::fflush(stdout);
  for (;;) {
    std::array<pollfd, 2> waiting{{{STDIN_FILENO, POLLIN, 0}, {listener, POLLIN, 0}}};
    ::poll(waiting.data(), waiting.size(), -1);
    if (waiting[0].revents != 0) return 0;
    if (const int accepted = ::accept(listener, nullptr, nullptr); accepted >= 0) {
      Connection(accepted).serve();
    }
  }
}
