#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include <boost/intrusive/list.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>

#include "base/clock.hpp"
#include "base/timer_wheel.hpp"
#include "net/socket.hpp"

namespace fanfare::transport::proxy {

/// What the arrivals of one worker share.
struct ArrivalContext {
  net::EventLoop& loop;
  /// From the accept to the end of the header.
  base::Duration timeout;
  /// At least wire::proxy::kHeaderBytesMax.
  std::span<char> scratch;
  /// Takes a connection whose peer is known; what is read next is the visitor's first byte.
  std::function<void(net::Socket)> arrived;
  /// Why a connection was closed, for the log: "it sent …".
  std::function<void(std::string_view)> refused;
};

/// All arrivals of one worker, for closing them at the end.
using ArrivalHook =
    boost::intrusive::list_base_hook<boost::intrusive::tag<struct ArrivalTag>,
                                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// A connection of which the proxy has yet to say whose it is. It reads the header and not a byte
/// more, so that whatever comes next begins with a fresh socket. Without a header, or with a broken
/// one, the connection is closed without an answer: nobody knows what the other side speaks.
///
/// Threads: one worker's. Ownership: keeps itself alive while it waits for its socket. Cost: at
/// most 4 KiB of a header that came in part.
class Arrival final : public net::Readiness, public base::Timer, public ArrivalHook {
 public:
  Arrival(ArrivalContext& context, net::Socket socket);

  void start() noexcept;
  /// Breaks the connection off.
  void abort() noexcept;

 private:
  void on_readable() override;
  void on_writable() override {}
  void expire(base::TimePoint now) override;
  void on_failed() noexcept override { abort(); }  // of a socket or of the timer

  void read_header(std::string_view peeked);
  void refuse(std::string_view why);

  ArrivalContext& context_;
  net::Socket socket_;
  std::string header_;  // what has come of it
};

using ArrivalPtr = boost::intrusive_ptr<Arrival>;

}  // namespace fanfare::transport::proxy
