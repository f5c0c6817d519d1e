#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "net/socket.hpp"

namespace fanfare::net {

/// Bytes that the kernel has not taken yet, the writer's own and such as many connections share.
///
/// Threads: the loop's. Cost: nothing while it does not exist; make it when a write falls short.
class Outbox {
 public:
  /// `written` of it have gone already.
  void push(std::string bytes, std::size_t written = 0);
  void push(std::shared_ptr<const std::string> bytes, std::size_t written = 0);

  /// Writes as much as the kernel takes.
  Socket::Outcome write_some(Socket& socket);

  [[nodiscard]] bool is_empty() const noexcept { return parts_.empty(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  /// What is kept for this connection alone.
  [[nodiscard]] std::size_t own_bytes() const noexcept { return own_bytes_; }

 private:
  struct Part {
    std::string own;
    std::shared_ptr<const std::string> shared;
    std::size_t written = 0;
    [[nodiscard]] std::string_view left() const noexcept {
      return std::string_view(shared ? *shared : own).substr(written);
    }
  };

  void forget(std::size_t written);

  std::deque<Part> parts_;  // none of them is written whole
  std::size_t bytes_ = 0;
  std::size_t own_bytes_ = 0;
};

}  // namespace fanfare::net
