#include "wire/http1/cors.hpp"

#include <string>

namespace fanfare::wire::http1 {

void allow_origin(Response& response, std::string_view origin) {
  // Caches must not hand one origin's permission to another, nor an answer without any to a
  // browser.
  response.headers.emplace_back("Vary", "Origin");
  if (origin.empty()) return;
  response.headers.emplace_back("Access-Control-Allow-Origin", std::string(origin));
  response.headers.emplace_back("Access-Control-Allow-Credentials", "true");
}

Response preflight_response(const Request& request) {
  Response response;
  std::string allowed = "Accept, Authorization, Content-Type, Pragma, X-Requested-With";
  // CometD's applications add headers of their own; the origin is what decides, not their names.
  const std::string asked = request.header_list("Access-Control-Request-Headers");
  if (!asked.empty()) allowed += ", " + asked;
  response.headers = {{"Access-Control-Allow-Headers", allowed},
                      {"Access-Control-Allow-Methods", "POST, GET"},
                      {"Access-Control-Max-Age", "86400"}};
  const std::string_view origin = request.header("Origin").value_or("*");
  response.headers.emplace_back("Access-Control-Allow-Origin", std::string(origin));
  if (origin != "*") response.headers.emplace_back("Access-Control-Allow-Credentials", "true");
  response.headers.emplace_back("Vary", "Origin");
  return response;
}

}  // namespace fanfare::wire::http1
