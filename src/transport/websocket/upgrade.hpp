#pragma once

#include <optional>

#include "wire/http1/request.hpp"
#include "wire/http1/response.hpp"
#include "wire/websocket/deflate.hpp"

namespace fanfare::transport::websocket {

/// Whether a request asks to become a WebSocket, well or badly.
bool is_upgrade(const wire::http1::Request& request);

/// The answer to such a request (RFC 6455 section 4.2): 101, or 400 or 426 for what is wrong with
/// it.
struct Upgrade {
  wire::http1::Response response;
  /// What was agreed on about compression, if anything.
  std::optional<wire::websocket::DeflateAgreement> deflate;

  [[nodiscard]] bool is_accepted() const noexcept { return response.status == 101; }
};
Upgrade accept_upgrade(const wire::http1::Request& request);

}  // namespace fanfare::transport::websocket
