#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace fanfare::server::cli {

/// Posts to one server after the other, over connections that it keeps.
///
/// Threads: one, except stop().
class HttpClient {
 public:
  struct Request {
    std::string url;
    std::string body;
    std::vector<std::string> headers;
    std::chrono::milliseconds timeout{30'000};
  };
  struct Answer {
    long status = 0;
    std::string body;
  };

  HttpClient();
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Any status is an answer. Without one the error is `unavailable`, or `invalid` when the URL is
  /// not one that can be asked.
  base::Result<Answer> post(const Request& request);

  /// Sleeps, but not longer than until stop().
  void wait(std::chrono::milliseconds time);

  /// From any thread: ends what post() or wait() is doing, and whatever is asked of them later.
  void stop();
  [[nodiscard]] bool is_stopped() const { return is_stopped_; }

 private:
  struct Handles;

  std::unique_ptr<Handles> handles_;
  std::atomic<bool> is_stopped_{false};
};

/// Why a request was refused, as a sentence: the server's own if the answer has one (as `message`
/// of its JSON, or as a line of text), and else the status.
std::string explain_refusal(const HttpClient::Answer& answer);

}  // namespace fanfare::server::cli
