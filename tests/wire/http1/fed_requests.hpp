#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wire/http1/request.hpp"

namespace fanfare::wire::http1 {

/// A connection's reading side as a transport would write it: keeps what is not consumed, takes
/// requests as they complete, stops at the first failure.
class FedRequests {
 public:
  explicit FedRequests(const RequestLimits& limits = {}) : parser_(limits) {}

  void feed(std::string_view bytes) {
    kept_ += bytes;
    while (status_ == 0) {
      const Progress progress = parser_.feed(kept_);
      kept_.erase(0, progress.consumed);
      if (progress.state == Progress::want_continue) ++continues_;
      if (progress.state == Progress::failed) status_ = parser_.failure().status;
      if (progress.state != Progress::complete) return;
      requests_.push_back(parser_.take_request());
    }
  }

  [[nodiscard]] const std::vector<Request>& requests() const { return requests_; }
  [[nodiscard]] const RequestParser& parser() const { return parser_; }
  [[nodiscard]] std::string_view kept() const { return kept_; }
  [[nodiscard]] int continues() const { return continues_; }
  /// Of the failure; 0 without one.
  [[nodiscard]] int status() const { return status_; }

  /// Everything that must not depend on how the input was cut.
  [[nodiscard]] std::string summary() const {
    std::string text;
    for (const Request& request : requests_) {
      text.append(request.method()).append(" ").append(request.path()).append("?");
      text.append(request.query()).append(" @").append(request.host_with_port());
      text.append(request.keep_alive() ? " keep " : " close ").append(request.body()).append("\n");
    }
    return text + std::to_string(status_) + (status_ == 0 ? "" : parser_.failure().reason.data());
  }

 private:
  RequestParser parser_;
  std::string kept_;
  std::vector<Request> requests_;
  int continues_ = 0;
  int status_ = 0;
};

}  // namespace fanfare::wire::http1
