#pragma once

#include <string>
#include <string_view>

namespace fanfare::wire::websocket {

/// The only version there is; also what `426 Upgrade Required` has to name (RFC 6455 section 4.4).
inline constexpr std::string_view kVersion = "13";

/// Whether a Sec-WebSocket-Key is the base64 of 16 bytes (RFC 6455 section 4.2.1).
bool is_valid_key(std::string_view sec_websocket_key);

/// The Sec-WebSocket-Accept that proves the key was read (RFC 6455 section 4.2.2).
std::string accept_key(std::string_view sec_websocket_key);

/// The subprotocol to answer with: the first that a Sec-WebSocket-Protocol list offers, because
/// what we speak does not depend on it and browsers fail a connection whose offer goes unanswered.
/// Empty without an offer that is a token.
std::string_view first_subprotocol(std::string_view sec_websocket_protocol);

}  // namespace fanfare::wire::websocket
