#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "wire/http1/request.hpp"
#include "wire/http1/response.hpp"

namespace fanfare::api {

/// A request as it comes off the wire. `headers` are whole lines.
inline wire::http1::Request request(std::string_view method, std::string_view target,
                                    std::string_view body = "", std::string_view headers = "") {
  std::string bytes(method);
  bytes.append(" ").append(target).append(" HTTP/1.1\r\nHost: localhost\r\n").append(headers);
  bytes.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n\r\n");
  bytes.append(body);
  wire::http1::RequestLimits limits;
  limits.body_bytes_max = 10'000'000;
  wire::http1::RequestParser parser(limits);
  const auto progress = parser.feed(bytes);
  EXPECT_EQ(progress.state, wire::http1::Progress::complete);
  EXPECT_EQ(progress.consumed, bytes.size());
  return parser.take_request();
}

/// The value of a header of an answer, or "none".
inline std::string header_of(const wire::http1::Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return "none";
}

}  // namespace fanfare::api
