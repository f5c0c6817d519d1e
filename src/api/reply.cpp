#include "api/reply.hpp"

#include <string>
#include <utility>

#include <fmt/format.h>

#include "wire/json/json.hpp"

namespace fanfare::api {

using base::Errc;
using wire::http1::Response;

ErrorForm error_form(Errc code) noexcept {
  switch (code) {
    case Errc::invalid:
      return {400, "invalid"};
    case Errc::unauthorized:
      return {401, "unauthorized"};
    case Errc::forbidden:
      return {403, "forbidden"};
    case Errc::not_found:
      return {404, "not_found"};
    case Errc::conflict:
      return {409, "conflict"};
    case Errc::too_large:
      return {413, "too_large"};
    case Errc::unavailable:
      return {503, "unavailable"};
    case Errc::io:
      return {500, "internal"};
  }
  return {500, "internal"};
}

Response error_response(ErrorForm form, std::string_view message) {
  Response response =
      json_response(fmt::format("{{\"error\":{{\"code\":\"{}\",\"message\":{}}}}}\n", form.code,
                                wire::json::quoted(message)));
  response.status = form.status;
  return response;
}

Response json_response(std::string body) {
  Response response;
  response.headers = {{"Content-Type", "application/json; charset=utf-8"},
                      {"Cache-Control", "no-store"},
                      {"X-Content-Type-Options", "nosniff"}};
  response.body = std::move(body);
  return response;
}

Response error_response(const base::Error& error) {
  Response response = error_response(error_form(error.code), error.detail);
  // RFC 9110 section 11.6.1 wants a challenge. Not Basic: browsers would ask the visitor for a
  // password.
  if (response.status == 401)
    response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"fanfare\"");
  return response;
}

Response method_not_allowed(std::string_view allow) {
  Response response =
      error_response({405, "method_not_allowed"}, fmt::format("this path takes {}", allow));
  response.headers.emplace_back("Allow", std::string(allow));
  return response;
}

}  // namespace fanfare::api
