#include "net/listener.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <sys/socket.h>
#include <utility>

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>

#include "base/caught.hpp"
#include "base/fault.hpp"
#include "base/log.hpp"
#include "net/descriptor.hpp"

namespace fanfare::net {
namespace {

using boost::asio::ip::tcp;

// Accepted in one go before other sockets get their turn.
constexpr int kAcceptsPerTurn = 64;
// What the kernel may hold for a peer that does not read; the rest waits with us, where it is
// counted and can be dropped. Without it such a peer holds some 4 MB of kernel memory.
constexpr int kUnsentBytesMax = 16 * 1024;
// The system lowers it to net.core.somaxconn.
constexpr int kBacklog = 4096;

base::Error refusal(const Address& address, int error) {
  if (error == EADDRINUSE) {
    return {base::Errc::io,
            fmt::format("{} is in use by another program; stop it or choose another --listen",
                        address.text())};
  }
  if (error == EACCES) {
    return {base::Errc::io,
            fmt::format("listening on {} is not permitted; ports below 1024 need a privilege",
                        address.text())};
  }
  return {base::Errc::io,
          fmt::format("cannot listen on {}: {}", address.text(), std::strerror(error))};
}

void set_option(int descriptor, int level, int name, int value) {
  ::setsockopt(descriptor, level, name, &value, sizeof value);
}

base::Result<Descriptor> bind_one(const Address& address, const tcp::endpoint& endpoint,
                                  bool share) {
  Descriptor socket(::socket(endpoint.protocol().family(), SOCK_STREAM, 0));
  if (socket.get() < 0) return refusal(address, errno);
  ::fcntl(socket.get(), F_SETFD, FD_CLOEXEC);
  set_option(socket.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (share) set_option(socket.get(), SOL_SOCKET, SO_REUSEPORT, 1);
  // Connections inherit these from the socket that accepts them, which spares them two calls each.
  set_option(socket.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(socket.get(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, kUnsentBytesMax);
  if (::bind(socket.get(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0) {
    return refusal(address, errno);
  }
  return socket;
}

std::uint16_t bound_port(int descriptor) {
  tcp::endpoint endpoint;
  auto size = static_cast<socklen_t>(endpoint.capacity());
  ::getsockname(descriptor, endpoint.data(), &size);
  return endpoint.port();
}

std::optional<tcp::endpoint> resolve(const Address& address) {
  boost::system::error_code failure;
  const std::string& host = address.host == "localhost" ? "127.0.0.1" : address.host;
  const auto ip = boost::asio::ip::make_address(host, failure);
  if (failure) return std::nullopt;
  return tcp::endpoint(ip, address.port);
}

}  // namespace

std::string Address::text() const {
  return host.find(':') != std::string::npos ? fmt::format("[{}]:{}", host, port)
                                             : fmt::format("{}:{}", host, port);
}

base::Result<std::vector<int>> open_listeners(Address& address, std::size_t workers) {
  std::optional<tcp::endpoint> endpoint = resolve(address);
  if (!endpoint) {
    return base::Error{base::Errc::invalid,
                       fmt::format("'{}' is not an IP address to listen on", address.host)};
  }
  {
    // SO_REUSEPORT would let two servers share a port, each with half of the visitors. A first bind
    // without it finds out whether somebody is there.
    auto probe = bind_one(address, *endpoint, /*share=*/false);
    if (!probe) return probe.error();
    if (::listen(probe->get(), 1) != 0) return refusal(address, errno);
    address.port = bound_port(probe->get());
    endpoint->port(address.port);
  }
  std::vector<Descriptor> opened;
  for (std::size_t i = 0; i < workers; ++i) {
    auto socket = bind_one(address, *endpoint, /*share=*/true);
    if (!socket) return socket.error();
    opened.push_back(std::move(*socket));
  }
  std::vector<int> descriptors;
  for (Descriptor& socket : opened) {
    if (::listen(socket.get(), kBacklog) != 0) return refusal(address, errno);
    descriptors.push_back(socket.hand_on());
  }
  return descriptors;
}

Listener::Listener(EventLoop& loop, int descriptor, bool is_v6, Accepted accepted)
    : loop_(loop),
      acceptor_(loop.context_, is_v6 ? tcp::v6() : tcp::v4(), descriptor),
      pause_(loop.context_),
      accepted_(std::move(accepted)) {
  acceptor_.non_blocking(true);
}

void Listener::close() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
}

void Listener::wait() noexcept {
  acceptor_.async_wait(Asio::wait_read, [this](const boost::system::error_code& failure) {
    if (!failure) accept_some();
  });
}

void Listener::accept_some() noexcept {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    boost::system::error_code failure;
    Socket::Asio socket(loop_.context_);
    acceptor_.accept(socket, failure);
    if (failure == boost::asio::error::would_block) break;
    // The peer went between its SYN and now; the next one is fine.
    if (failure == boost::asio::error::connection_aborted) continue;
    if (failure) {
      base::log::error(
          fmt::format("cannot accept connections for a moment: {}", failure.message()));
      return pause();
    }
    hand_over(Socket(std::move(socket)));
    if (!acceptor_.is_open()) return;
  }
  wait();
}

/// Whatever becomes of one, the next is accepted: with SO_REUSEPORT the kernel would go on feeding
/// a listener that has stopped.
void Listener::hand_over(Socket socket) noexcept {
  try {
    FANFARE_MAY_THROW("a socket that was accepted");
    accepted_(std::move(socket));
  } catch (...) {
    base::report_caught("a connection that was accepted");
  }
}

void Listener::pause() noexcept {
  // Out of descriptors: the queue stays readable, so waiting for it would spin.
  pause_.expires_after(std::chrono::milliseconds(100));
  pause_.async_wait([this](const boost::system::error_code& failure) {
    if (!failure) wait();
  });
}

}  // namespace fanfare::net
