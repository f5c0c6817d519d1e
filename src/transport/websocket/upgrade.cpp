#include "transport/websocket/upgrade.hpp"

#include <string>

#include "wire/websocket/handshake.hpp"

namespace fanfare::transport::websocket {
namespace {

Upgrade refusal(int status, std::string_view reason) {
  Upgrade upgrade;
  upgrade.response.status = status;
  upgrade.response.headers = {{"Content-Type", "text/plain; charset=utf-8"}};
  upgrade.response.body.assign(reason);
  if (status == 426) {
    upgrade.response.headers.emplace_back("Sec-WebSocket-Version",
                                          std::string(wire::websocket::kVersion));
    upgrade.response.headers.emplace_back("Upgrade", "websocket");
    upgrade.response.headers.emplace_back("Connection", "Upgrade");
  }
  return upgrade;
}

}  // namespace

bool is_upgrade(const wire::http1::Request& request) {
  // RFC 9110 section 7.8: HTTP/1.0 does not know the field, and to other methods it is an offer.
  return request.method() == "GET" && !request.is_http_1_0() &&
         request.header_has_token("Upgrade", "websocket");
}

Upgrade accept_upgrade(const wire::http1::Request& request) {
  if (!request.header_has_token("Connection", "upgrade")) {
    return refusal(
        400,
        "The header Connection does not name Upgrade; a proxy on the way may have dropped it.\n");
  }
  // RFC 6455 section 11.3: each stands there once. What stands twice, somebody on the way may have
  // read otherwise. Also as a list in one field, which means the same (RFC 9110 section 5.3).
  if (!request.header_has_token("Sec-WebSocket-Version", wire::websocket::kVersion)) {
    return refusal(426, "Only version 13 of the WebSocket protocol is spoken here.\n");
  }
  if (request.count("Sec-WebSocket-Version") > 1 ||
      request.header("Sec-WebSocket-Version") != wire::websocket::kVersion) {
    return refusal(400, "Sec-WebSocket-Version is there more than once; send 13, once.\n");
  }
  if (request.count("Sec-WebSocket-Key") > 1) {
    return refusal(400, "Sec-WebSocket-Key is there more than once; send one key.\n");
  }
  const std::string key(request.header("Sec-WebSocket-Key").value_or(""));
  if (!wire::websocket::is_valid_key(key))
    return refusal(400, "Sec-WebSocket-Key is not 16 bytes in base64.\n");

  Upgrade upgrade;
  upgrade.response.status = 101;
  upgrade.response.headers = {{"Upgrade", "websocket"},
                              {"Connection", "Upgrade"},
                              {"Sec-WebSocket-Accept", wire::websocket::accept_key(key)}};
  const std::string protocols = request.header_list("Sec-WebSocket-Protocol");
  if (const auto chosen = wire::websocket::first_subprotocol(protocols); !chosen.empty()) {
    upgrade.response.headers.emplace_back("Sec-WebSocket-Protocol", std::string(chosen));
  }
  upgrade.deflate =
      wire::websocket::negotiate_deflate(request.header_list("Sec-WebSocket-Extensions"));
  if (upgrade.deflate)
    upgrade.response.headers.emplace_back("Sec-WebSocket-Extensions", upgrade.deflate->response);
  return upgrade;
}

}  // namespace fanfare::transport::websocket
