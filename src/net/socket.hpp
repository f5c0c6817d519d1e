#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/uio.h>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include "base/caught.hpp"
#include "base/counted.hpp"
#include "base/ip_address.hpp"
#include "net/descriptor.hpp"
#include "net/event_loop.hpp"

namespace fanfare::net {

/// Whom a socket tells that it can be read or written again. Counted, because the kernel may have
/// news on its way for an owner that has just let go.
class Readiness : public boost::intrusive_ref_counter<Readiness, boost::thread_unsafe_counter> {
 public:
  virtual ~Readiness() = default;

  /// Does something for this, `what` in words. If it throws, this ends, and nobody else does.
  template <typename Act>
  void attempt(std::string_view what, Act&& act) noexcept {
    const boost::intrusive_ptr<Readiness> self(this);
    try {
      act();
    } catch (...) {
      base::report_caught(what);
      on_failed();
    }
  }

 private:
  friend class Socket;
  virtual void on_readable() = 0;
  virtual void on_writable() = 0;
  /// One of them threw, or what was attempted did, anywhere in the middle: lets go of everything,
  /// so that nobody waits for this or knows it any more.
  virtual void on_failed() noexcept = 0;
};

/// One TCP connection, non-blocking, reactor style: it waits through the event loop and then reads
/// and writes directly, so an idle connection owns no buffer.
///
/// Threads: the loop's. Cost: 390 bytes an idle connection, all told.
class Socket {
 public:
  enum class State { open, would_block, peer_left, failed };
  struct Outcome {
    State state = State::open;
    std::size_t bytes = 0;
  };

  /// Whose the connection is, when that is not the peer of TCP; one that nobody stands in front of
  /// has none.
  struct Introduced {
    std::optional<base::IpAddress> peer;
    std::optional<base::IpAddress> visitor;
  };

  /// A descriptor on its way from one loop to another.
  struct Released {
    Descriptor descriptor;
    bool is_v6;
    base::Counted counted;
    std::unique_ptr<Introduced> introduced = nullptr;
  };

  /// Takes over an open descriptor, for example one that another worker released.
  Socket(EventLoop& loop, Released released);
  Socket(Socket&&) = default;
  Socket& operator=(Socket&&) = default;

  /// `peer_left` when the peer has closed its side in good order, `failed` when the connection
  /// broke.
  Outcome read(std::span<char> into) noexcept;
  /// The same bytes are read again next time.
  Outcome peek(std::span<char> into) noexcept;
  /// Writes as much as the kernel takes now, of all parts, in one system call.
  Outcome write(std::span<const iovec> parts) noexcept;

  /// One call of on_readable() or on_writable(), when there is news. At most one wait each at a
  /// time.
  void wait_readable(boost::intrusive_ptr<Readiness> whom) noexcept;
  void wait_writable(boost::intrusive_ptr<Readiness> whom) noexcept;

  /// Says "no more from us"; the peer can still be read.
  void shut_down_sending() noexcept;
  /// Cancels waits. The second call does nothing. The kernel goes on with what it has taken.
  void close() noexcept;
  /// The same, but what the kernel has not sent yet never leaves: the peer sees a reset.
  void reset() noexcept;
  [[nodiscard]] bool is_open() const noexcept { return socket_.is_open(); }

  /// Whether the kernel has learnt that bytes of ours did not arrive (a reset), which a clean read
  /// of end-of-file can hide.
  [[nodiscard]] bool has_error() noexcept;

  /// What the kernel has taken of us. Of `unsent` no byte has left this machine; of
  /// `unacknowledged`, which includes those, nobody knows whether it arrived. Also right after the
  /// connection broke, until close().
  struct InKernel {
    std::size_t unsent = 0;
    std::size_t unacknowledged = 0;
  };
  [[nodiscard]] InKernel in_kernel() noexcept;
  /// Whether the peer's machine has acknowledged nothing for a second: with bytes on their way, it
  /// is not there. While it is, the kernel goes on sending whatever we have just been told.
  [[nodiscard]] bool is_silent() noexcept;
  /// The latter alone, which is one question less.
  [[nodiscard]] std::size_t unacknowledged_bytes() noexcept;

  /// Makes the socket one of those that `counted` counts, until it is closed.
  void count(base::Counted counted) { counted_ = std::move(counted); }

  /// Lets go of the descriptor without closing it, so that another loop can have it.
  [[nodiscard]] Released release() noexcept;

  /// With whom the connection really is, as a proxy says that passes on bytes: from now on this
  /// takes the place of TCP's peer.
  void set_peer(const base::IpAddress& peer);
  /// On whose behalf the peer speaks, for now; nothing when it is for itself.
  void set_visitor(const std::optional<base::IpAddress>& visitor);

  /// Nothing once the peer has gone.
  [[nodiscard]] std::optional<base::IpAddress> peer() const;

  /// The visitor's, else the peer's: "203.0.113.7" or "2001:db8::1"; empty once the peer has gone.
  [[nodiscard]] std::string peer_address() const;
  /// What one visitor can hardly change: the IPv4 address, or the /64 network of an IPv6 one.
  [[nodiscard]] std::string peer_network() const;

 private:
  friend class Listener;
  using Asio = boost::asio::basic_stream_socket<boost::asio::ip::tcp,
                                                boost::asio::io_context::executor_type>;
  explicit Socket(Asio socket) : socket_(std::move(socket)) {}

  Outcome receive(std::span<char> into, int flags) noexcept;
  [[nodiscard]] std::optional<base::IpAddress> visitor_or_peer() const;
  Introduced& introduced();

  Asio socket_;
  base::Counted counted_;
  std::unique_ptr<Introduced> introduced_;
};

}  // namespace fanfare::net
