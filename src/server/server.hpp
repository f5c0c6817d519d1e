#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "core/realm.hpp"
#include "server/config.hpp"

namespace fanfare::server {

/// The whole program behind `fanfare serve`: workers, listeners, realms.
class Server {
 public:
  /// Binds every address before anything runs; an address in use is an error, and nothing listens.
  /// `config` has been validated; there is at least one realm.
  static base::Result<std::unique_ptr<Server>> start(Config config,
                                                     std::vector<core::Realm> realms);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// "127.0.0.1:8400", as really bound: port 0 has become a number. Those with the PROXY protocol
  /// come last.
  [[nodiscard]] const std::vector<std::string>& addresses() const noexcept { return addresses_; }
  [[nodiscard]] std::size_t proxied_addresses() const noexcept { return proxied_addresses_; }

  /// Until stop(), and then until clients have been told, three seconds at most.
  void run();
  /// From any thread, but not from a signal handler.
  void stop();

  /// The built-in browser library: its file name, and its `integrity` value.
  static std::pair<std::string, std::string> browser_library();

 private:
  struct Parts;
  explicit Server(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
  std::vector<std::string> addresses_;
  std::size_t proxied_addresses_ = 0;
};

}  // namespace fanfare::server
