#pragma once

#include <string_view>

#include "base/result.hpp"
#include "base/task.hpp"
#include "wire/http1/request.hpp"
#include "wire/http1/response.hpp"

namespace fanfare::api {

/// Takes the one answer to a request, now or later, on the same thread.
using Reply = base::UniqueFunction<void(wire::http1::Response)>;

/// The HTTP status of a failure, and the name that programs know it by.
struct ErrorForm {
  int status;
  std::string_view code;
};
ErrorForm error_form(base::Errc code) noexcept;

/// `{"error":{"code":"…","message":"…"}}` with the status that belongs to it.
wire::http1::Response error_response(const base::Error& error);
/// The same for what only one path can say.
wire::http1::Response error_response(ErrorForm form, std::string_view message);
wire::http1::Response json_response(std::string body);
/// 405 with the methods that do work.
wire::http1::Response method_not_allowed(std::string_view allow);

}  // namespace fanfare::api
