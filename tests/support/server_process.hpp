#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace fanfare {

/// A real fanfare on a free port of 127.0.0.1, in a directory of its own that goes with it.
class ServerProcess {
 public:
  /// Starts `binary` with this configuration (TOML; where it listens and keeps its data is not for
  /// it to say) and returns when it listens; throws if it does not.
  ServerProcess(const std::string& binary, std::string_view config, std::size_t workers);
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] pid_t pid() const { return pid_; }

  /// The key that the configuration gives to its realms, in base64.
  [[nodiscard]] static std::string key();
  /// For publishing to one of them.
  [[nodiscard]] static std::string token(std::string_view realm);

  /// False once it has died.
  bool is_running();
  /// Bytes of its memory that are in use, and its open descriptors.
  [[nodiscard]] std::size_t resident_bytes() const;
  [[nodiscard]] std::size_t descriptor_count() const;
  /// What it has written to stderr, from the beginning.
  [[nodiscard]] std::string complaints() const;

  /// Asks it to end. Returns what is wrong with how it did, or nothing.
  std::string stop();

 private:
  void start(const std::string& binary, std::size_t workers);
  [[nodiscard]] std::uint16_t wait_for_port();
  bool wait(std::chrono::milliseconds at_most);

  std::filesystem::path directory_;
  pid_t pid_ = -1;
  int status_ = 0;
  std::uint16_t port_ = 0;
};

}  // namespace fanfare
