// The physical limit that docs/benchmarks.md measures against: what a server costs that does
// nothing but what the kernel makes it do. It accepts, upgrades, and when a publish comes it sends
// the same frame to all sockets of the channel, in a bare loop. No realms, tokens, sessions,
// queues or JSON; a socket that does not read loses what does not fit.
//
//     send_loop PORT [--join]
//
// GET /sub/{name} is upgraded, POST /pub/{name} is sent to all that asked for the same name; names
// end in seven digits, which is what tells them apart (`fanfare bench --protocol plain`). With
// --join, publishes that were read together leave in one send per socket.
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <unordered_map>
#include <vector>

#include "base/check.hpp"
#include "wire/websocket/frame.hpp"
#include "wire/websocket/handshake.hpp"

namespace {

namespace websocket = fanfare::wire::websocket;

constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr std::string_view kAccepted = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
constexpr std::size_t kDigits = 7;
constexpr int kBacklog = 4096;

std::string_view value_after(std::string_view text, std::string_view name) {
  const auto at = text.find(name);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + name.size());
  return text.substr(0, text.find('\r'));
}

std::size_t number(std::string_view text) {
  std::size_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// The digits at the end of the path of `GET /sub/bench-0000012 HTTP/1.1`.
std::size_t channel_of(std::string_view head) {
  const auto end = head.find(" HTTP/");
  return end == std::string_view::npos || end < kDigits
             ? 0
             : number(head.substr(end - kDigits, kDigits));
}

class SendLoop {
 public:
  SendLoop(int port, bool joins) : joins_(joins) {
    epoll_ = ::epoll_create1(0);
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    const int on = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    FANFARE_CHECK(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
                  0);
    FANFARE_CHECK(::listen(listener_, kBacklog) == 0);
    watch(listener_);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 1024> events{};
    while (true) {
      const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < count; ++i) {
        const int fd = events[static_cast<std::size_t>(i)].data.fd;
        if (fd == listener_) {
          accept_all();
        } else {
          read(fd);
        }
      }
      publish_all();
    }
  }

 private:
  struct Publish {
    int publisher;
    std::size_t channel;
    std::string frame;
  };

  void watch(int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }

  void accept_all() {
    while (true) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK);
      if (fd < 0) return;
      const int on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      watch(fd);
    }
  }

  void read(int fd) {
    const auto count = ::recv(fd, scratch_.data(), scratch_.size(), 0);
    if (count <= 0) {
      if (count < 0 && errno == EAGAIN) return;
      return leave(fd);
    }
    if (channel_by_fd_.contains(fd)) return;  // pongs, if anything
    std::string& unread = unread_[fd];
    unread.append(scratch_.data(), static_cast<std::size_t>(count));
    while (take_request(fd, unread)) {
    }
    if (unread.empty()) unread_.erase(fd);
  }

  bool take_request(int fd, std::string& unread) {
    const auto head_end = unread.find(kHeadEnd);
    if (head_end == std::string::npos) return false;
    const std::string_view head = std::string_view(unread).substr(0, head_end + 2);
    const std::size_t body = head_end + kHeadEnd.size();
    const std::size_t size = body + number(value_after(head, "Content-Length: "));
    if (unread.size() < size) return false;
    if (head.starts_with("GET")) {
      upgrade(fd, head);
    } else {
      publishes_.push_back(
          {fd, channel_of(head),
           websocket::encode_frame(websocket::Opcode::text,
                                   std::string_view(unread).substr(body, size - body))});
    }
    unread.erase(0, size);
    return true;
  }

  void upgrade(int fd, std::string_view head) {
    send(fd,
         "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Accept: " +
             websocket::accept_key(value_after(head, "Sec-WebSocket-Key: ")) + "\r\n\r\n");
    const std::size_t channel = channel_of(head);
    if (channel >= sockets_.size()) sockets_.resize(channel + 1);
    sockets_[channel].push_back(fd);
    channel_by_fd_[fd] = channel;
  }

  void publish_all() {
    if (publishes_.empty()) return;
    if (joins_) join();
    for (const auto& publish : publishes_) {
      if (publish.channel >= sockets_.size()) continue;
      for (const int fd : sockets_[publish.channel]) send(fd, publish.frame);
    }
    for (const auto& publish : publishes_) send(publish.publisher, kAccepted);
    publishes_.clear();
  }

  /// Moves the frames of later publishes behind the first one of the same channel.
  void join() {
    std::unordered_map<std::size_t, std::string*> first;
    for (auto& publish : publishes_) {
      const auto [entry, is_first] = first.try_emplace(publish.channel, &publish.frame);
      if (is_first) continue;
      *entry->second += publish.frame;
      publish.channel = static_cast<std::size_t>(-1);
    }
  }

  static void send(int fd, std::string_view bytes) {
    static_cast<void>(!::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL));
  }

  void leave(int fd) {
    if (const auto found = channel_by_fd_.find(fd); found != channel_by_fd_.end()) {
      std::erase(sockets_[found->second], fd);
      channel_by_fd_.erase(found);
    }
    unread_.erase(fd);
    ::close(fd);
  }

  bool joins_;
  int epoll_ = -1;
  int listener_ = -1;
  std::array<char, 65536> scratch_{};
  std::vector<std::vector<int>> sockets_;  // by channel
  std::unordered_map<int, std::size_t> channel_by_fd_;
  std::unordered_map<int, std::string> unread_;
  std::vector<Publish> publishes_;  // of this turn
};

}  // namespace

int main(int argc, char** argv) {
  const int port = argc > 1 ? std::atoi(argv[1]) : 0;
  if (port <= 0) {
    std::fputs("usage: send_loop PORT [--join]\n", stderr);
    return 2;
  }
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  std::make_unique<SendLoop>(port, argc > 2 && std::strcmp(argv[2], "--join") == 0)->run();
}
