#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "server/cli/http_client.hpp"
#include "wire/json/json.hpp"

namespace fanfare::server::cli {

/// Listens to one channel over Bayeux long-polling, through lost connections and restarts of the
/// server: it comes back with growing pauses, and subscribes anew when its session is gone.
///
/// Threads: one; `http.stop()` ends run() from another.
class BayeuxClient {
 public:
  struct Listener {
    /// One publication's data, on one line. False ends the client.
    std::function<bool(std::string_view json)> on_data;
    /// What happens to the connection, in sentences for a person.
    std::function<void(std::string_view sentence)> on_status;
  };

  BayeuxClient(HttpClient& http, std::string url, std::string channel, Listener listener);

  /// Returns when it is told to stop or when the listener has enough, or with what the server said
  /// when it refused for good.
  base::Status run();

  /// Gives the session back, if there is one. Over a connection of its own, so it also works after
  /// a stop; a server that does not answer forgets the session by itself.
  void leave();

 private:
  enum class Reconnect { retry, handshake, none };

  /// What the server last said about when and how to come back (Bayeux: advice).
  struct Advice {
    Reconnect reconnect = Reconnect::retry;
    std::chrono::milliseconds interval{0};
    std::chrono::milliseconds timeout{60'000};
  };

  // Errors of the steps: `unavailable` means try again, `not_found` that the session is gone, all
  // others are for good.
  base::Status step();
  base::Status handshake();
  base::Status subscribe();
  base::Status connect();

  /// Posts one message; takes deliveries and advice out of the answer, and returns what the reply
  /// to `channel` says.
  base::Status exchange(std::string_view channel, const std::string& message,
                        std::chrono::milliseconds timeout);
  base::Result<HttpClient::Answer> post(const std::string& body, std::chrono::milliseconds timeout);
  base::Status take_answer(const wire::json::Value& messages, std::string_view channel);
  base::Status take_reply(const wire::json::Value& message);
  void take_advice(const wire::json::Value& advice);
  void take_delivery(const wire::json::Value& message);
  void come_back_later(const base::Error& error);
  std::string make_message(std::string_view channel, std::string_view fields);
  [[nodiscard]] bool is_over() const { return has_enough_ || http_.is_stopped(); }

  HttpClient& http_;
  std::string url_;
  std::string channel_;
  Listener listener_;

  std::string client_id_;  // empty without a session
  bool is_subscribed_ = false;
  bool has_enough_ = false;
  Advice advice_;
  // All three since the last connect that worked:
  int failures_ = 0;
  bool is_lost_ = false;  // and the listener was told
  bool was_forgotten_ = false;
  std::uint64_t last_message_id_ = 0;
};

}  // namespace fanfare::server::cli
