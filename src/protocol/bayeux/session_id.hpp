#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "core/worker_set.hpp"

namespace fanfare::protocol::bayeux {

/// A clientId: 128 random bits that are the client's secret, and the worker on which the session
/// lives. Written as 28 characters of [0-9a-z]: two for the worker, 26 for the bits.
class SessionId {
 public:
  static SessionId make(core::WorkerIndex worker);
  static std::optional<SessionId> parse(std::string_view text);

  [[nodiscard]] core::WorkerIndex worker() const noexcept { return worker_; }
  [[nodiscard]] std::string text() const;

  friend bool operator==(const SessionId&, const SessionId&) = default;

  struct Hash {
    using is_avalanching = void;
    // The bits are random already, and nobody outside chooses the ones that we keep.
    std::size_t operator()(const SessionId& id) const noexcept {
      std::size_t hash = 0;
      std::memcpy(&hash, id.secret_.data(), sizeof hash);
      return hash;
    }
  };

 private:
  std::array<std::uint8_t, 16> secret_{};
  core::WorkerIndex worker_{0};
};

}  // namespace fanfare::protocol::bayeux
