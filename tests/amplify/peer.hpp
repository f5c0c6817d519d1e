#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "amplify/spent.hpp"

namespace fanfare::amplify {

/// The attacker's end of one connection: bytes out, as many as the server takes, and bytes in,
/// which nobody looks at unless they are kept. It has no idea of what they mean.
class Peer {
 public:
  enum class Kind { http, websocket, deflate };

  /// From 127.0.0.`address` to 127.0.0.1; one that never reads gets a small buffer from the kernel.
  /// A failure leaves it closed. `spent` outlives it.
  Peer(Spent& spent, std::uint16_t port, Kind kind, std::size_t address, bool reads);
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  void write(std::string_view bytes);
  void flush();
  /// Nothing more will be written of what the server did not take.
  void give_up() { output_.clear(); }
  /// One look at what has come; false when there was nothing.
  bool read(std::span<char> scratch);

  void close();
  void reset();
  void half_close();

  void keep_input(bool keeps) {
    keeps_input_ = keeps;
    input_.clear();
  }
  [[nodiscard]] std::string& input() { return input_; }

  bool reads;
  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }
  [[nodiscard]] bool has_unwritten() const { return is_open() && written_ < output_.size(); }

 private:
  void end();

  Spent& spent_;
  Kind kind_;
  int descriptor_ = -1;
  std::string output_;
  std::size_t written_ = 0;
  bool keeps_input_ = false;
  std::string input_;
};

}  // namespace fanfare::amplify
