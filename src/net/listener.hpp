#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/result.hpp"
#include "net/event_loop.hpp"
#include "net/socket.hpp"

namespace fanfare::net {

/// Where to listen: an IPv4 or IPv6 address, or "localhost", and a port (0: any free one).
struct Address {
  std::string host;
  std::uint16_t port = 0;

  /// "127.0.0.1:8400" or "[::1]:8400".
  [[nodiscard]] std::string text() const;
};

/// Opens one listening descriptor per worker on the same address; the kernel spreads connections
/// over them (SO_REUSEPORT). Refuses, with a sentence, an address that some other program listens
/// on. `address.port` becomes the real port if it was 0.
base::Result<std::vector<int>> open_listeners(Address& address, std::size_t workers);

/// Accepts connections for one worker. If `accepted` throws, that socket closes and it goes on.
///
/// Threads: the loop's. Ownership: must not outlive the loop; destroying it stops accepting.
class Listener {
 public:
  using Accepted = std::function<void(Socket)>;

  Listener(EventLoop& loop, int descriptor, bool is_v6, Accepted accepted);
  void start() noexcept { wait(); }
  void close();

 private:
  using Asio = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp,
                                                  boost::asio::io_context::executor_type>;

  void wait() noexcept;
  void accept_some() noexcept;
  void hand_over(Socket socket) noexcept;
  void pause() noexcept;

  EventLoop& loop_;
  Asio acceptor_;
  boost::asio::steady_timer pause_;
  Accepted accepted_;
};

}  // namespace fanfare::net
