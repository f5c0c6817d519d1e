#pragma once

#include <cstdint>
#include <string_view>

namespace fanfare::core {

/// Why we end a session, in the words that its client is told. `close_code` is what a WebSocket
/// says (RFC 6455 section 7.4.1); other transports use the reason.
struct Disconnect {
  std::uint16_t close_code;
  std::string_view reason;
  /// The client asked for it, and is not to come back.
  bool is_wanted = false;
};

inline constexpr Disconnect kDisconnected{1000, "disconnected", true};
inline constexpr Disconnect kSessionExpired{1000, "session expired"};
inline constexpr Disconnect kShutdown{1001, "server is shutting down"};
inline constexpr Disconnect kFailed{1011, "internal error"};
inline constexpr Disconnect kSlowConsumer{1013, "slow consumer"};

}  // namespace fanfare::core
