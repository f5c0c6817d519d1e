#pragma once

#include <cstdint>

namespace fanfare::amplify {

/// What an attack has cost the attacker, and what it may fairly cost the server beyond that: the
/// bounds are made of it (bounds.hpp).
struct Spent {
  /// What went over the wire: the bytes themselves, and what TCP and IP add to each write (66) and
  /// to each connection (400: its opening and its end).
  std::uint64_t wire_bytes = 0;
  /// Of compressed messages, what they become; not in wire_bytes.
  std::uint64_t inflated_bytes = 0;
  /// What came back of it; no bound counts it, it is to be told.
  std::uint64_t received_bytes = 0;
  /// Connections made, and those of them that the server has closed.
  std::uint64_t sockets = 0;
  std::uint64_t closed = 0;
  std::uint64_t sessions = 0;
  std::uint64_t subscriptions = 0;
  /// What was published, by the attacker or by the site, and how often it is to be delivered at
  /// most: to each session that had subscribed to anything.
  std::uint64_t publications = 0;
  std::uint64_t published_bytes = 0;
  std::uint64_t deliveries = 0;
};

inline constexpr std::uint64_t kWriteOverhead = 66;
inline constexpr std::uint64_t kConnectionOverhead = 400;

}  // namespace fanfare::amplify
