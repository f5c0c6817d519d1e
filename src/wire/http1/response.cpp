#include "wire/http1/response.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <iterator>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "base/check.hpp"
#include "wire/http1/request.hpp"
#include "wire/http1/text.hpp"

namespace fanfare::wire::http1 {
namespace {

struct Phrase {
  int status;
  std::string_view text;
};

// RFC 9110 section 15, RFC 6585, and 507 of RFC 4918: what we, or an operator's page, may answer.
constexpr Phrase kPhrases[] = {
    {100, "Continue"},
    {101, "Switching Protocols"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
};

void append_number(std::string& out, std::size_t number, int base = 10) {
  std::array<char, 20> digits{};
  const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), number, base);
  out.append(digits.data(), result.ptr);
}

/// A line end inside a value would begin a field, or a response, of someone else's choosing. RFC
/// 9110 section 5.5 has receivers put a space in its place; so do we, before it leaves.
void append_field(std::string& out, std::string_view name, std::string_view value) {
  FANFARE_CHECK(!name.empty() && std::all_of(name.begin(), name.end(), is_token_char));
  out.append(name).append(": ").append(value);
  std::replace_if(
      out.end() - static_cast<std::ptrdiff_t>(value.size()), out.end(),
      [](char c) { return !is_field_char(c); }, ' ');
  out.append("\r\n");
}

/// The status line is HTTP/1.1 whatever the client spoke: it says what we speak (RFC 9110 section
/// 2.5).
std::string begin_head(const Response& response, std::size_t body_bytes, std::string_view date) {
  std::size_t size = 192 + body_bytes;
  for (const auto& [name, value] : response.headers) size += name.size() + value.size() + 4;
  std::string out;
  out.reserve(size);
  out.append("HTTP/1.1 ");
  append_number(out, static_cast<std::size_t>(response.status));
  out.append(" ").append(reason_phrase(response.status)).append("\r\n");
  // RFC 9110 section 6.6.1: whoever has a clock says so.
  if (!date.empty()) out.append("Date: ").append(date).append("\r\n");
  for (const auto& [name, value] : response.headers) append_field(out, name, value);
  return out;
}

/// RFC 9112 section 9.3: only what differs from the version's default needs to be said.
void append_connection(std::string& out, bool keep, const ResponseContext& context) {
  if (!keep) {
    out.append("Connection: close\r\n");
  } else if (context.is_http_1_0) {
    out.append("Connection: keep-alive\r\n");
  }
}

}  // namespace

bool has_body(int status) {
  return status >= 200 && status != 204 && status != 304;
}

ResponseContext::ResponseContext(const Request& request)
    : head_only(request.method() == "HEAD"),
      keep_alive(request.keep_alive()),
      is_http_1_0(request.is_http_1_0()) {}

std::string encode_head(const Response& response, const ResponseContext& context,
                        std::string_view date, std::size_t room) {
  std::string out = begin_head(response, room, date);
  if (has_body(response.status)) {
    out.append("Content-Length: ");
    append_number(out, response.content_bytes());
    out.append("\r\n");
  }
  // 101 leaves HTTP; its Connection field is the caller's.
  if (response.status >= 200) append_connection(out, keeps_connection(response, context), context);
  return out.append("\r\n");
}

std::string encode(const Response& response, const ResponseContext& context,
                   std::string_view date) {
  if (!has_body(response.status) || context.head_only) return encode_head(response, context, date);
  std::string out = encode_head(response, context, date, response.content_bytes());
  out.append(response.body);
  if (response.shared_body) out.append(*response.shared_body);
  return out.append(response.body_end);
}

std::string encode_stream_head(const Response& response, const ResponseContext& context,
                               std::string_view date) {
  std::string out = begin_head(response, 0, date);
  if (!context.is_http_1_0) out.append("Transfer-Encoding: chunked\r\n");
  append_connection(out, keeps_connection(response, context) && !context.is_http_1_0, context);
  return out.append("\r\n");
}

std::string_view HttpDate::at(base::WallTime now) {
  const std::time_t second = std::chrono::system_clock::to_time_t(now);
  if (std::exchange(second_, second) != second) {
    text_ = fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(second));
  }
  return text_;
}

std::string encode_chunk(std::string_view data) {
  FANFARE_CHECK(!data.empty());  // an empty chunk would be the last one
  std::string out;
  out.reserve(data.size() + 20);
  append_number(out, data.size(), 16);
  return out.append("\r\n").append(data).append("\r\n");
}

std::string_view reason_phrase(int status) {
  const auto* const known =
      std::find_if(std::begin(kPhrases), std::end(kPhrases),
                   [status](const Phrase& phrase) { return phrase.status == status; });
  if (known != std::end(kPhrases)) return known->text;
  if (status < 200) return "Informational";
  if (status < 300) return "Success";
  if (status < 400) return "Redirection";
  return status < 500 ? "Client Error" : "Server Error";
}

}  // namespace fanfare::wire::http1
