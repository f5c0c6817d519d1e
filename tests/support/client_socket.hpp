#pragma once

#include <algorithm>
#include <arpa/inet.h>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace fanfare {

/// The other end of a connection, blocking, for tests that play the client. Waits at most ten
/// seconds for anything.
class ClientSocket {
 public:
  /// To 127.0.0.1.
  static ClientSocket connect_to(std::uint16_t port) {
    const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      ::close(descriptor);
      return ClientSocket(-1);
    }
    const int on = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return ClientSocket(descriptor);
  }

  ClientSocket() = default;
  explicit ClientSocket(int descriptor) : descriptor_(descriptor) {}
  ClientSocket(ClientSocket&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), read_(std::move(other.read_)) {}
  ClientSocket& operator=(ClientSocket&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    std::swap(read_, other.read_);
    return *this;
  }
  ~ClientSocket() { close(); }

  /// How often one of them has waited ten seconds for nothing.
  inline static std::atomic<int> silences{0};

  [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }
  [[nodiscard]] int descriptor() const { return descriptor_; }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  /// What comes next; empty at the end, after an error, and after ten seconds of silence.
  std::string receive() {
    if (!read_.empty()) return std::exchange(read_, {});
    if (!is_open()) return {};
    pollfd waiting{descriptor_, POLLIN, 0};
    if (::poll(&waiting, 1, 10'000) <= 0) {
      ++silences;
      return {};
    }
    std::string bytes(64 * 1024, '\0');
    const ssize_t count = ::recv(descriptor_, bytes.data(), bytes.size(), 0);
    bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return bytes;
  }
  /// Everything up to and including `mark`, or what there was when nothing more came.
  std::string receive_through(std::string_view mark) {
    std::string all;
    // Only the end of what was searched before can be the beginning of the mark: a long answer in
    // small pieces is looked at once, not once for each piece.
    for (std::size_t searched = 0;;) {
      if (const std::size_t found = all.find(mark, searched); found != std::string::npos) {
        read_ = all.substr(found + mark.size());
        all.resize(found + mark.size());
        return all;
      }
      searched = all.size() - std::min(all.size(), mark.size() - 1);
      const std::string more = receive();
      if (more.empty()) return all;
      all += more;
    }
  }
  std::string receive_exactly(std::size_t size) {
    std::string all;
    while (all.size() < size) {
      const std::string more = receive();
      if (more.empty()) break;
      all += more;
    }
    if (all.size() > size) {
      read_ = all.substr(size);
      all.resize(size);
    }
    return all;
  }
  /// The rest, to the end.
  std::string receive_all() {
    std::string all;
    for (std::string more = receive(); !more.empty(); more = receive()) all += more;
    return all;
  }

  /// One HTTP answer: its head, and the body that Content-Length promises.
  struct Answer {
    std::string head;
    std::string body;
    [[nodiscard]] int status() const { return head.size() < 12 ? 0 : std::stoi(head.substr(9, 3)); }
  };
  Answer receive_answer() {
    Answer answer;
    answer.head = receive_through("\r\n\r\n");
    const std::string_view name = "Content-Length: ";
    if (const std::size_t found = answer.head.find(name); found != std::string::npos) {
      answer.body = receive_exactly(std::stoul(answer.head.substr(found + name.size())));
    }
    return answer;
  }

  void stop_sending() { ::shutdown(descriptor_, SHUT_WR); }
  /// Closes with a reset, as a crash or a lost network does.
  void reset() {
    const linger at_once{1, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
  }
  void close() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  }

 private:
  int descriptor_ = -1;
  std::string read_;  // and not asked for yet
};

/// A POST with a JSON body. `more` is header lines.
inline std::string post_request(std::string_view path, std::string_view body,
                                std::string_view more = "") {
  return std::string("POST ")
      .append(path)
      .append(" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n")
      .append(more)
      .append("Content-Length: ")
      .append(std::to_string(body.size()))
      .append("\r\n\r\n")
      .append(body);
}

}  // namespace fanfare
