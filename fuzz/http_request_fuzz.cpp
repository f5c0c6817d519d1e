// Whatever a peer sends, and however the network cuts it: the same requests, and the same refusal
// at the same place. What was accepted means the same when it is written down again in plain form.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "wire/http1/request.hpp"
#include "wire/http1/response.hpp"

namespace {

using namespace fanfare::wire::http1;

// Small, so that short inputs reach them.
constexpr RequestLimits kLimits{
    .header_bytes_max = 512, .target_bytes_max = 128, .fields_max = 8, .body_bytes_max = 256};

struct Reading {
  std::vector<Request> requests;
  int status = 0;
};

/// Reads `input` in pieces, as a connection would; the first byte that is not consumed stays first.
Reading read(std::string_view input, std::size_t piece, const RequestLimits& limits) {
  Reading reading;
  RequestParser parser(limits);
  std::string kept;
  while (!input.empty()) {
    kept += input.substr(0, piece);
    input.remove_prefix(std::min(piece, input.size()));
    for (;;) {
      const Progress progress = parser.feed(kept);
      FANFARE_CHECK(progress.consumed <= kept.size());
      kept.erase(0, progress.consumed);
      FANFARE_CHECK(kept.size() <= limits.header_bytes_max ||
                    progress.state != Progress::need_more);
      if (progress.state == Progress::failed) {
        reading.status = parser.failure().status;
        return reading;
      }
      if (progress.state != Progress::complete) break;
      reading.requests.push_back(parser.take_request());
    }
  }
  return reading;
}

void check_same(const Request& a, const Request& b) {
  FANFARE_CHECK(a.method() == b.method());
  FANFARE_CHECK(a.path() == b.path());
  FANFARE_CHECK(a.query() == b.query());
  FANFARE_CHECK(a.host() == b.host());
  FANFARE_CHECK(a.host_with_port() == b.host_with_port());
  FANFARE_CHECK(a.keep_alive() == b.keep_alive());
  FANFARE_CHECK(a.body() == b.body());
}

void check_same(const Reading& a, const Reading& b) {
  FANFARE_CHECK(a.status == b.status);
  FANFARE_CHECK(a.requests.size() == b.requests.size());
  for (std::size_t i = 0; i < a.requests.size(); ++i) check_same(a.requests[i], b.requests[i]);
}

/// Origin-form, one Host, one Content-Length: nothing that could be read in two ways.
std::string rewrite(const Request& request) {
  std::string text(request.method());
  text.append(" ").append(request.path());
  if (!request.query().empty()) text.append("?").append(request.query());
  text.append(request.is_http_1_0() ? " HTTP/1.0\r\nHost: " : " HTTP/1.1\r\nHost: ");
  text.append(request.host_with_port()).append("\r\nConnection: ");
  text.append(request.keep_alive() ? "keep-alive" : "close").append("\r\nContent-Length: ");
  return text.append(std::to_string(request.body().size()))
      .append("\r\n\r\n")
      .append(request.body());
}

void check_meaning(const Request& request) {
  FANFARE_CHECK(request.path().starts_with('/'));
  FANFARE_CHECK(request.body().size() <= kLimits.body_bytes_max);
  const Reading again = read(rewrite(request), 4096, RequestLimits{});
  FANFARE_CHECK(again.requests.size() == 1);
  check_same(request, again.requests[0]);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = data[0] % 64U + 1;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);

  const Reading whole = read(input, size, kLimits);
  check_same(whole, read(input, piece, kLimits));
  check_same(whole, read(input, 1, kLimits));
  for (const Request& request : whole.requests) check_meaning(request);
  return 0;
}
