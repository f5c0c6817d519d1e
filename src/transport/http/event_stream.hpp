#pragma once

#include <cstddef>

#include "delivery/in_flight.hpp"
#include "protocol/bayeux/peer.hpp"
#include "protocol/bayeux/session.hpp"
#include "transport/http/connection.hpp"

namespace fanfare::transport::http {

/// Faye's event stream: deliveries go down it, everything else comes as POST (spec/bayeux
/// section 6.4).
class EventStream final : public protocol::bayeux::Outlet, public Waiter, public base::Timer {
 public:
  /// Answers the request on `connection` with a stream and makes it the outlet of `session`.
  static void open(const ConnectionPtr& connection, protocol::bayeux::Session& session,
                   const wire::http1::Response& head);

  void send(protocol::bayeux::Session& from, const core::BundlePtr& bundle) noexcept override;
  [[nodiscard]] bool is_congested() const noexcept override;
  void reply(std::string_view elements) noexcept override;
  void give_back(protocol::bayeux::Session& session) noexcept override;
  void end(const core::Disconnect& why) noexcept override;

 private:
  explicit EventStream(ConnectionPtr connection);
  ~EventStream() override;

  void peer_left() noexcept override;
  void answer_arrived(bool has_arrived) noexcept override;
  void stream_written() noexcept override;
  void stream_has_to_end() noexcept override;
  void expire(base::TimePoint now) override;
  void on_failed() noexcept override;
  void add_reference() noexcept override { ++references_; }
  void release_reference() noexcept override {
    if (--references_ == 0) delete this;
  }
  void finish(bool in_good_order) noexcept;
  void arm_ping();

  std::size_t references_ = 0;
  [[nodiscard]] delivery::InKernel in_flight();

  ConnectionPtr connection_;
  delivery::InFlight<protocol::bayeux::SessionId> sent_;
};

}  // namespace fanfare::transport::http
