#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "protocol/bayeux/peer.hpp"
#include "protocol/bayeux/service.hpp"
#include "transport/http/connection.hpp"

namespace fanfare::transport::http {

/// One POST or JSON-P request, from its messages to its answer. While it is a session's held
/// connect it costs about 150 bytes besides its connection.
class BayeuxCall final : public protocol::bayeux::Caller, public Waiter {
 public:
  /// `callback` names the JSON-P function, and is empty for a POST.
  BayeuxCall(protocol::bayeux::Service& service, core::RealmPtr realm, ConnectionPtr connection,
             std::string origin, std::string callback);

  [[nodiscard]] std::string peer_network() const override;
  protocol::bayeux::Outlet* outlet() noexcept override { return nullptr; }
  void answer(std::string_view elements,
              const protocol::bayeux::Deliveries& deliveries) noexcept override;
  void supersede() noexcept override;
  void settle() noexcept override;
  void fail() noexcept override;
  void hold(protocol::bayeux::Session& session) noexcept override;

 private:
  void peer_left() noexcept override;
  void answer_arrived(bool has_arrived) noexcept override;
  void add_reference() noexcept override { ++references_; }
  void release_reference() noexcept override {
    if (--references_ == 0) delete this;
  }
  [[nodiscard]] wire::http1::Response response(std::string_view elements,
                                               const core::BundlePtr& bundle) const;

  std::size_t references_ = 0;
  protocol::bayeux::Service& service_;
  core::RealmPtr realm_;
  ConnectionPtr connection_;
  std::string origin_;
  std::string callback_;
  protocol::bayeux::Session* holder_ = nullptr;  // while this is its held connect
  protocol::bayeux::Deliveries answered_;        // until it is known that they arrived
  ConnectionPtr answered_on_;                    // likewise
};

}  // namespace fanfare::transport::http
