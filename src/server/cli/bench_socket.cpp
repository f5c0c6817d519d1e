#include "server/cli/bench_socket.hpp"

#include <cerrno>
#include <cstdint>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/check.hpp"

namespace fanfare::server::cli::bench {

using base::Errc;
using base::Error;

base::Result<Address> look_up(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found); error != 0) {
    return Error{Errc::unavailable, fmt::format("{}: {}", host, ::gai_strerror(error))};
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  Address address;
  address.length = found->ai_addrlen;
  std::char_traits<char>::copy(reinterpret_cast<char*>(&address.storage),
                               reinterpret_cast<const char*>(found->ai_addr), found->ai_addrlen);
  return address;
}

Poller::Poller()
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)), wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  FANFARE_CHECK(epoll_ >= 0 && wake_ >= 0);
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;  // edge-triggered: nobody has to read the counter
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event);
}

Poller::~Poller() {
  ::close(wake_);
  ::close(epoll_);
}

namespace {

void control(int epoll, int operation, int fd, PollTarget& target, bool wants_writable) {
  epoll_event event{};
  event.events = wants_writable ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.ptr = &target;
  ::epoll_ctl(epoll, operation, fd, &event);
}

}  // namespace

void Poller::add(int fd, PollTarget& target, bool wants_writable) {
  control(epoll_, EPOLL_CTL_ADD, fd, target, wants_writable);
}

void Poller::change(int fd, PollTarget& target, bool wants_writable) {
  control(epoll_, EPOLL_CTL_MOD, fd, target, wants_writable);
}

void Poller::remove(int fd) {
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
}

void Poller::wait(std::chrono::nanoseconds timeout) {
  constexpr std::chrono::nanoseconds::rep kSecond = 1'000'000'000;
  const timespec time{timeout.count() / kSecond, timeout.count() % kSecond};
  const int count =
      ::epoll_pwait2(epoll_, events_.data(), static_cast<int>(events_.size()), &time, nullptr);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events_[static_cast<std::size_t>(i)];
    if (auto* target = static_cast<PollTarget*>(event.data.ptr)) {
      target->on_ready((event.events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0);
    }
  }
}

void Poller::wake() {
  const std::uint64_t one = 1;
  static_cast<void>(!::write(wake_, &one, sizeof one));  // full means that it will wake anyway
}

bool Socket::open(const Address& address, PollTarget& target, int receive_buffer) {
  const auto* where = reinterpret_cast<const sockaddr*>(&address.storage);
  fd_ = ::socket(where->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return false;
  target_ = &target;
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const linger reset{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  if (receive_buffer != kDefaultBuffer) {
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  }
  if (::connect(fd_, where, address.length) != 0 && errno != EINPROGRESS) {
    close();
    return false;
  }
  state_ = State::connecting;
  poller_.add(fd_, target, true);
  return true;
}

bool Socket::on_writable() {
  if (state_ == State::connecting) {
    int error = 0;
    socklen_t length = sizeof error;
    ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) {
      close();
      return false;
    }
    state_ = State::open;
    if (unsent_.empty()) poller_.change(fd_, *target_, false);
  }
  if (!unsent_.empty()) flush();
  return true;
}

void Socket::send(std::string_view bytes) {
  if (state_ == State::closed) return;
  if (state_ == State::open && unsent_.empty()) {
    const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    if (bytes.empty()) return;
    poller_.change(fd_, *target_, true);
  }
  unsent_.append(bytes);
}

void Socket::flush() {
  const auto sent = ::send(fd_, unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
  if (sent > 0) unsent_.erase(0, static_cast<std::size_t>(sent));
  if (unsent_.empty()) poller_.change(fd_, *target_, false);
}

std::ptrdiff_t Socket::read(std::span<char> into) {
  if (state_ != State::open) return 0;
  const auto count = ::recv(fd_, into.data(), into.size(), 0);
  if (count > 0) return count;
  return count < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

void Socket::stop_reading() {
  if (state_ == State::open) poller_.remove(fd_);
}

bool Socket::drain() {
  if (fd_ < 0) return true;
  constexpr int kMomentMs = 100;
  std::array<char, 65536> waste{};
  pollfd poll{fd_, POLLIN, 0};
  while (::poll(&poll, 1, kMomentMs) > 0) {
    if (::recv(fd_, waste.data(), waste.size(), 0) <= 0) return true;
  }
  return false;
}

void Socket::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  state_ = State::closed;
  unsent_.clear();
}

}  // namespace fanfare::server::cli::bench
