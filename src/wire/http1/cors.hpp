#pragma once

#include <string_view>

#include "wire/http1/request.hpp"
#include "wire/http1/response.hpp"

namespace fanfare::wire::http1 {

/// Whether a browser asks what it may send before it sends it.
inline bool is_preflight(const Request& request) {
  return request.method() == "OPTIONS" || request.header("Access-Control-Request-Method") == "POST";
}

/// Yes to a preflight: what Faye's and CometD's clients ask for, `Pragma` above all, without which
/// cross-origin polling dies.
Response preflight_response(const Request& request);

/// Lets the page that asked read the answer. Echoes its origin, because an answer to a request with
/// credentials must not say `*`.
void allow_origin(Response& response, std::string_view origin);

}  // namespace fanfare::wire::http1
