#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/result.hpp"

namespace fanfare::server::cli::bench {

/// A server's address, looked up once.
struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;
};
base::Result<Address> look_up(const std::string& host, const std::string& port);

/// Whoever waits for a file descriptor.
class PollTarget {
 public:
  virtual void on_ready(bool is_writable) = 0;

 protected:
  ~PollTarget() = default;
};

/// The driver's only way to wait. epoll, and nothing around it: net::EventLoop and its sockets are
/// what the driver is to measure, so it does not stand on them.
///
/// Threads: one, except wake().
class Poller {
 public:
  Poller();
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  void add(int fd, PollTarget& target, bool wants_writable);
  void change(int fd, PollTarget& target, bool wants_writable);
  void remove(int fd);

  /// Calls whoever is ready, once each.
  void wait(std::chrono::nanoseconds timeout);
  /// From any thread: ends the wait, or the next one.
  void wake();

 private:
  int epoll_ = -1;
  int wake_ = -1;
  std::array<epoll_event, 1024> events_{};
};

/// One non-blocking connection. What the kernel does not take at once is kept and sent later.
class Socket {
 public:
  enum class State { closed, connecting, open };
  static constexpr int kDefaultBuffer = 0;

  explicit Socket(Poller& poller) : poller_(poller) {}
  ~Socket() { close(); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  /// False when the system refuses at once. `target` hears when the connection is there (it is then
  /// writable), and from then on of what comes.
  bool open(const Address& address, PollTarget& target, int receive_buffer = kDefaultBuffer);
  void send(std::string_view bytes);
  /// To be called when writable. False when the connection could not be made.
  bool on_writable();
  /// Bytes read; 0 when there are none for now, -1 when the peer has left.
  std::ptrdiff_t read(std::span<char> into);
  /// Stops hearing of what comes, and reads nothing of it.
  void stop_reading();
  /// Whether the peer has closed. Reads to the end to find out, since a close stands in line behind
  /// what was never read; waits for a moment when there is nothing.
  bool drain();
  /// With a reset, so that a run of many thousand connections does not use up the ports for a
  /// minute (TIME_WAIT).
  void close();

  [[nodiscard]] State state() const noexcept { return state_; }
  [[nodiscard]] bool has_unsent() const noexcept { return !unsent_.empty(); }

 private:
  void flush();

  Poller& poller_;
  PollTarget* target_ = nullptr;
  int fd_ = -1;
  State state_ = State::closed;
  std::string unsent_;
};

}  // namespace fanfare::server::cli::bench
