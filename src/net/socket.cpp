#include "net/socket.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#ifdef __linux__
#include <linux/sockios.h>
#endif

namespace fanfare::net {
namespace {

Socket::Outcome outcome_of(ssize_t count) noexcept {
  if (count >= 0) return {Socket::State::open, static_cast<std::size_t>(count)};
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
    return {Socket::State::would_block, 0};
  return {Socket::State::failed, 0};
}

boost::asio::ip::tcp protocol(bool is_v6) {
  return is_v6 ? boost::asio::ip::tcp::v6() : boost::asio::ip::tcp::v4();
}

}  // namespace

Socket::Socket(EventLoop& loop, Released released)
    : socket_(loop.context_), counted_(std::move(released.counted)) {
  boost::system::error_code failure;
  socket_.assign(protocol(released.is_v6), released.descriptor, failure);
  // Only a descriptor table out of memory gets here; the socket then reads as closed.
  if (failure) ::close(released.descriptor);
}

Socket::Outcome Socket::read(std::span<char> into) noexcept {
  const Outcome outcome =
      outcome_of(::recv(socket_.native_handle(), into.data(), into.size(), MSG_DONTWAIT));
  if (outcome.state == State::open && outcome.bytes == 0) return {State::peer_left, 0};
  return outcome;
}

Socket::Outcome Socket::write(std::span<const iovec> parts) noexcept {
  if (parts.size() == 1) {
    return outcome_of(::send(socket_.native_handle(), parts[0].iov_base, parts[0].iov_len,
                             MSG_DONTWAIT | MSG_NOSIGNAL));
  }
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts.data());  // the POSIX type lacks the const
  message.msg_iovlen = static_cast<decltype(message.msg_iovlen)>(parts.size());
  return outcome_of(::sendmsg(socket_.native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL));
}

void Socket::wait_readable(boost::intrusive_ptr<Readiness> whom) {
  socket_.async_wait(Asio::wait_read,
                     [whom = std::move(whom)](const boost::system::error_code& failure) {
                       if (!failure) whom->on_readable();
                     });
}

void Socket::wait_writable(boost::intrusive_ptr<Readiness> whom) {
  socket_.async_wait(Asio::wait_write,
                     [whom = std::move(whom)](const boost::system::error_code& failure) {
                       if (!failure) whom->on_writable();
                     });
}

void Socket::shut_down_sending() noexcept {
  boost::system::error_code ignored;  // the peer may have gone already
  socket_.shutdown(Asio::shutdown_send, ignored);
}

void Socket::close() noexcept {
  boost::system::error_code ignored;
  socket_.close(ignored);
  counted_ = {};
}

bool Socket::has_error() noexcept {
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(socket_.native_handle(), SOL_SOCKET, SO_ERROR, &error, &size) != 0 ||
         error != 0;
}

Socket::InKernel Socket::in_kernel() noexcept {
  int unsent = 0;
  int unacknowledged = 0;
#ifdef __linux__
  // Places in the stream, which tcp_reset() leaves as they were.
  ::ioctl(socket_.native_handle(), SIOCOUTQNSD, &unsent);
  ::ioctl(socket_.native_handle(), SIOCOUTQ, &unacknowledged);
#elif defined(SO_NWRITE)
  // macOS tells both together; what might have left counts as left.
  socklen_t size = sizeof unacknowledged;
  ::getsockopt(socket_.native_handle(), SOL_SOCKET, SO_NWRITE, &unacknowledged, &size);
#endif
  return {static_cast<std::size_t>(std::max(unsent, 0)),
          static_cast<std::size_t>(std::max(unacknowledged, 0))};
}

void Socket::reset() noexcept {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

Socket::Released Socket::release() noexcept {
  boost::system::error_code failure;
  const bool is_v6 = socket_.local_endpoint(failure).protocol() == boost::asio::ip::tcp::v6();
  return {socket_.release(failure), is_v6, std::move(counted_)};
}

std::string Socket::peer_address() const {
  boost::system::error_code failure;
  const auto peer = socket_.remote_endpoint(failure);
  return failure ? std::string() : peer.address().to_string(failure);
}

std::string Socket::peer_network() const {
  boost::system::error_code failure;
  const auto address = socket_.remote_endpoint(failure).address();
  if (failure || !address.is_v6() || address.to_v6().is_v4_mapped()) return peer_address();
  auto bytes = address.to_v6().to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  return boost::asio::ip::address_v6(bytes).to_string() + "/64";
}

}  // namespace fanfare::net
