#include "amplify/peer.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace fanfare::amplify {
namespace {

// The kernel makes it some kilobytes; the rest is for the server to hold, or not.
constexpr int kUnreadBytes = 4'096;

sockaddr loopback(std::size_t last, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + static_cast<std::uint32_t>(last));
  sockaddr generic{};
  static_assert(sizeof generic == sizeof address);
  std::memcpy(&generic, &address, sizeof address);
  return generic;
}

}  // namespace

Peer::Peer(Spent& spent, std::uint16_t port, Kind kind, std::size_t address, bool wants_to_read)
    : reads(wants_to_read), spent_(spent), kind_(kind) {
  descriptor_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor_ < 0) return;
  const int on = 1;
  ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(descriptor_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (!reads) ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &kUnreadBytes, sizeof kUnreadBytes);
  const sockaddr from = loopback(address, 0);
  const sockaddr to = loopback(1, port);
  spent_.wire_bytes += kConnectionOverhead;
  ++spent_.sockets;
  if (::bind(descriptor_, &from, sizeof from) != 0 || ::connect(descriptor_, &to, sizeof to) != 0) {
    close();
  }
}

Peer::~Peer() {
  close();
}

void Peer::write(std::string_view bytes) {
  if (is_open()) output_ += bytes;
}

void Peer::flush() {
  while (has_unwritten()) {
    const ssize_t count = ::send(descriptor_, output_.data() + written_, output_.size() - written_,
                                 MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0) {
      if (errno != EAGAIN && errno != EINTR) end();
      return;
    }
    written_ += static_cast<std::size_t>(count);
    spent_.wire_bytes += kWriteOverhead + static_cast<std::uint64_t>(count);
  }
  output_.clear();
  written_ = 0;
}

bool Peer::read(std::span<char> scratch) {
  if (!is_open()) return false;
  const ssize_t count = ::recv(descriptor_, scratch.data(), scratch.size(), MSG_DONTWAIT);
  if (count > 0) {
    spent_.received_bytes += static_cast<std::uint64_t>(count);
    if (keeps_input_) input_.append(scratch.data(), static_cast<std::size_t>(count));
    return true;
  }
  if (count == 0 || (errno != EAGAIN && errno != EINTR)) end();
  return false;
}

/// The server has closed it.
void Peer::end() {
  ++spent_.closed;
  close();
}

void Peer::close() {
  if (is_open()) ::close(std::exchange(descriptor_, -1));
  output_.clear();
  written_ = 0;
}

void Peer::reset() {
  if (!is_open()) return;
  const linger at_once{1, 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

void Peer::half_close() {
  if (is_open()) ::shutdown(descriptor_, SHUT_WR);
}

}  // namespace fanfare::amplify
