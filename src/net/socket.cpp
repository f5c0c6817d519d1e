#include "net/socket.hpp"

#include <algorithm>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <utility>

#include "base/fault.hpp"

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

// One visitor has at least this much of IPv6 to choose addresses from.
constexpr unsigned kVisitorBitsOfV6 = 64;

base::IpAddress address_of(const boost::asio::ip::address& address) {
  return address.is_v4() ? base::IpAddress::v4(address.to_v4().to_bytes())
                         : base::IpAddress::v6(address.to_v6().to_bytes());
}

boost::asio::ip::tcp protocol(bool is_v6) {
  return is_v6 ? boost::asio::ip::tcp::v6() : boost::asio::ip::tcp::v4();
}

}  // namespace

Socket::Socket(EventLoop& loop, Released released)
    : socket_(loop.context_),
      counted_(std::move(released.counted)),
      introduced_(std::move(released.introduced)) {
  boost::system::error_code failure;
  socket_.assign(protocol(released.is_v6), released.descriptor.get(), failure);
  // Only a descriptor table out of memory fails; the socket then reads as closed.
  if (!failure) released.descriptor.hand_on();
}

Socket::Outcome Socket::read(std::span<char> into) noexcept {
  return receive(into, 0);
}

Socket::Outcome Socket::peek(std::span<char> into) noexcept {
  return receive(into, MSG_PEEK);
}

Socket::Outcome Socket::receive(std::span<char> into, int flags) noexcept {
  const Outcome outcome =
      outcome_of(::recv(socket_.native_handle(), into.data(), into.size(), MSG_DONTWAIT | flags));
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

void Socket::wait_readable(boost::intrusive_ptr<Readiness> whom) noexcept {
  socket_.async_wait(Asio::wait_read,
                     [whom = std::move(whom)](const boost::system::error_code& failure) {
                       if (failure) return;
                       whom->attempt("a connection that was being read", [&whom] {
                         FANFARE_MAY_THROW("a readable socket");
                         whom->on_readable();
                       });
                     });
}

void Socket::wait_writable(boost::intrusive_ptr<Readiness> whom) noexcept {
  socket_.async_wait(Asio::wait_write,
                     [whom = std::move(whom)](const boost::system::error_code& failure) {
                       if (failure) return;
                       whom->attempt("a connection that was being written", [&whom] {
                         FANFARE_MAY_THROW("a writable socket");
                         whom->on_writable();
                       });
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

std::size_t Socket::unacknowledged_bytes() noexcept {
  int bytes = 0;
#ifdef __linux__
  // Places in the stream, which tcp_reset() leaves as they were.
  ::ioctl(socket_.native_handle(), SIOCOUTQ, &bytes);
#elif defined(SO_NWRITE)
  socklen_t size = sizeof bytes;
  ::getsockopt(socket_.native_handle(), SOL_SOCKET, SO_NWRITE, &bytes, &size);
#endif
  return static_cast<std::size_t>(std::max(bytes, 0));
}

Socket::InKernel Socket::in_kernel() noexcept {
  int unsent = 0;
#ifdef __linux__
  ::ioctl(socket_.native_handle(), SIOCOUTQNSD, &unsent);
#endif  // elsewhere what might have left counts as left
  return {static_cast<std::size_t>(std::max(unsent, 0)), unacknowledged_bytes()};
}

bool Socket::is_silent() noexcept {
#ifdef __linux__
  constexpr unsigned kSilentMs = 1'000;
  tcp_info info{};
  socklen_t size = sizeof info;
  return ::getsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
         info.tcpi_last_ack_recv >= kSilentMs;
#else
  return false;
#endif
}

void Socket::reset() noexcept {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

Socket::Released Socket::release() noexcept {
  boost::system::error_code failure;
  const bool is_v6 = socket_.local_endpoint(failure).protocol() == boost::asio::ip::tcp::v6();
  return {Descriptor(socket_.release(failure)), is_v6, std::move(counted_), std::move(introduced_)};
}

Socket::Introduced& Socket::introduced() {
  if (!introduced_) introduced_ = std::make_unique<Introduced>();
  return *introduced_;
}

void Socket::set_peer(const base::IpAddress& peer) {
  introduced().peer = peer;
}

void Socket::set_visitor(const std::optional<base::IpAddress>& visitor) {
  if (introduced_ || visitor) introduced().visitor = visitor;
}

std::optional<base::IpAddress> Socket::peer() const {
  if (introduced_ && introduced_->peer) return introduced_->peer;
  boost::system::error_code failure;
  const auto endpoint = socket_.remote_endpoint(failure);
  if (failure) return std::nullopt;
  return address_of(endpoint.address());
}

std::optional<base::IpAddress> Socket::visitor_or_peer() const {
  return introduced_ && introduced_->visitor ? introduced_->visitor : peer();
}

std::string Socket::peer_address() const {
  const auto address = visitor_or_peer();
  return address ? address->text() : std::string();
}

std::string Socket::peer_network() const {
  const auto address = visitor_or_peer();
  if (!address || address->is_v4()) return address ? address->text() : std::string();
  return base::IpNetwork::around(*address, kVisitorBitsOfV6).text();
}

}  // namespace fanfare::net
