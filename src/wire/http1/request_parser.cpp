#include <algorithm>
#include <charconv>
#include <limits>

#include <boost/beast/http/basic_parser.hpp>

#include "base/check.hpp"
#include "wire/http1/authority.hpp"
#include "wire/http1/request.hpp"
#include "wire/http1/text.hpp"
#include "wire/http1/url.hpp"

namespace fanfare::wire::http1 {

namespace beast = boost::beast;

/// Beast's grammar of a request's head, with a complete head as its input and a Request's slices as
/// its output. Where the head ends, what its fields mean, and the body are RequestParser's.
class HeadReader final : private beast::http::basic_parser<true> {
 public:
  explicit HeadReader(Request& request) : request_(request) {
    skip(true);  // the body
    header_limit(std::numeric_limits<std::uint32_t>::max());
  }

  beast::error_code read() {
    beast::error_code error;
    put(boost::asio::buffer(request_.head_), error);
    return error;
  }

 private:
  using Text = beast::string_view;
  using Error = beast::error_code;

  [[nodiscard]] Request::Slice slice(Text text) const {
    return request_.slice({text.data(), text.size()});
  }

  void on_request_impl(beast::http::verb /*verb*/, Text method, Text target, int version,
                       Error& /*error*/) override {
    request_.method_ = slice(method);
    request_.target_ = slice(target);
    request_.is_http_1_0_ = version == 10;
  }
  void on_field_impl(beast::http::field /*field*/, Text name, Text value,
                     Error& /*error*/) override {
    request_.fields_.push_back({slice(name), slice(value)});
  }
  void on_response_impl(int, Text, int, Error&) override {}
  void on_header_impl(Error&) override {}
  void on_body_init_impl(boost::optional<std::uint64_t> const&, Error&) override {}
  std::size_t on_body_impl(Text body, Error&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, Text, Error&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, Text body, Error&) override { return body.size(); }
  void on_finish_impl(Error&) override {}

  Request& request_;
};

namespace {

// RFC 9112 section 2.2: some clients send a line end too many behind a body.
constexpr std::uint8_t kBlankLinesMax = 2;
// The longest registered method (UPDATEREDIRECTREF), two spaces, the version and the line end.
constexpr std::size_t kRequestLineExtra = 32;

/// Whether a request line that Beast refused for its version names one that others do speak.
bool names_a_version(std::string_view head) {
  std::string_view version = cut(head, '\r');
  cut(version, ' ');
  cut(version, ' ');
  return version.size() == 8 && version.starts_with("HTTP/") && is_digit(version[5]) &&
         version[6] == '.' && is_digit(version[7]);
}

ParseFailure describe(const beast::error_code& failure, std::string_view head) {
  using beast::http::error;
  if (failure == error::bad_version && names_a_version(head)) {
    return {505, "Only HTTP/1.1 and HTTP/1.0 are spoken here."};
  }
  if (failure == error::bad_method || failure == error::bad_target ||
      failure == error::bad_version) {
    return {400, "The request line is malformed."};
  }
  if (failure == error::bad_content_length || failure == error::multiple_content_length ||
      failure == error::bad_transfer_encoding) {
    return {400, "The length of the body is ambiguous."};
  }
  return {400, "A header field is malformed."};
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), to_lower);
  return result;
}

}  // namespace

Progress RequestParser::feed(std::string_view bytes) {
  std::size_t consumed = 0;
  if (stage_ == Stage::between) skip_blank_lines(bytes, consumed);
  if (stage_ == Stage::head) read_head(bytes.substr(consumed), consumed);
  if (stage_ == Stage::sized_body) read_sized_body(bytes.substr(consumed), consumed);
  if (stage_ == Stage::chunked_body) read_chunked_body(bytes.substr(consumed), consumed);

  if (stage_ == Stage::failed) return {consumed, Progress::failed};
  if (stage_ == Stage::complete) return {consumed, Progress::complete};
  const bool tell = std::exchange(continue_is_due_, false);
  return {consumed, tell ? Progress::want_continue : Progress::need_more};
}

Request RequestParser::take_request() {
  FANFARE_CHECK(stage_ == Stage::complete);
  Request request = std::move(request_);
  *this = RequestParser(limits_);
  return request;
}

void RequestParser::skip_blank_lines(std::string_view bytes, std::size_t& consumed) {
  while (bytes.substr(consumed).starts_with("\r\n") && blank_lines_ < kBlankLinesMax) {
    consumed += 2;
    ++blank_lines_;
  }
  const std::string_view rest = bytes.substr(consumed);
  if (rest.empty() || (rest == "\r" && blank_lines_ < kBlankLinesMax)) return;
  // Tells what is not HTTP at all, such as TLS, from its first byte.
  if (!is_token_char(rest[0])) {
    fail(400, "This is not an HTTP request.");
    return;
  }
  stage_ = Stage::head;
}

void RequestParser::read_head(std::string_view bytes, std::size_t& consumed) {
  FANFARE_CHECK(bytes.size() >= searched_);  // the caller kept what was not consumed
  for (;;) {
    const std::size_t line_end = bytes.find('\n', searched_);
    if (line_end == std::string_view::npos) {
      searched_ = bytes.size();
      check_size(bytes.size());
      return;
    }
    if (!check_line(bytes, line_end)) return;
    const bool is_last = line_end == line_begin_ + 1;
    line_begin_ = searched_ = line_end + 1;
    if (is_last) break;
  }
  consumed += line_begin_;
  request_.head_.assign(bytes.substr(0, line_begin_));
  if (read_fields() && read_target() && read_framing() && read_expect()) begin_body();
}

bool RequestParser::check_size(std::size_t head_bytes) {
  if (lines_ == 0 && head_bytes > limits_.target_bytes_max + kRequestLineExtra) {
    return fail(414, "The request line is too long.");
  }
  if (head_bytes > limits_.header_bytes_max) return fail(431, "The header fields are too large.");
  return true;
}

/// What Beast would let pass, or would say too late. Size comes first, so that a line is refused
/// for the same reason whether it came in one piece or not.
bool RequestParser::check_line(std::string_view head, std::size_t line_end) {
  if (!check_size(line_end + 1)) return false;
  if (line_end == line_begin_ || head[line_end - 1] != '\r') {
    return fail(400, "A line ends without a carriage return.");
  }
  const char first = head[line_begin_];
  if (first == ' ' || first == '\t') return fail(400, "A header field is folded.");
  // The request line and the last, empty one are not fields.
  if (first != '\r' && lines_++ > limits_.fields_max)
    return fail(431, "There are too many fields.");
  return true;
}

bool RequestParser::read_fields() {
  request_.fields_.reserve(lines_ - 1);
  const auto error = HeadReader(request_).read();
  if (!error) return true;
  const auto failure = describe(error, request_.head_);
  return fail(failure.status, failure.reason);
}

/// The four forms of RFC 9112 section 3.2.
bool RequestParser::read_target() {
  const std::string_view target = request_.target();
  if (target.size() > limits_.target_bytes_max) return fail(414, "The target is too long.");
  // RFC 9110 section 15.6.2: what the server does not support, for any resource.
  if (request_.method() == "CONNECT") return fail(501, "This server is no proxy.");
  if (target == "*" && request_.method() == "OPTIONS") {
    return fail(501, "OPTIONS is answered for a path, not for the server.");
  }

  std::string_view authority;
  if (!read_host(authority)) return false;
  std::string_view resource = target;
  if (!target.starts_with('/') && !split_absolute(resource, authority)) return false;
  // A fragment is never sent (RFC 9110 section 7.1); those who do may mean anything by it.
  if (resource.find('#') != std::string_view::npos) return fail(400, "The target has a fragment.");

  request_.authority_ = lower(authority);
  request_.host_size_ = host_size_of(authority).value_or(0);
  request_.path_ = request_.slice(cut(resource, '?'));
  request_.query_ = request_.slice(resource);
  return check_segments(request_.path()) || fail(400, "The path has a segment '.' or '..'.");
}

/// Clients resolve those before they send (RFC 3986 section 5.2.4). A proxy that resolves them, and
/// passes them on as they came, has decided about another path than we would.
bool RequestParser::check_segments(std::string_view path) {
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::string_view written = path.substr(0, path.find('/'));
    path.remove_prefix(written.size());
    if (!written.starts_with('.') && !written.starts_with('%')) continue;  // nearly always
    const auto segment = percent_decode(written);
    if (segment == "." || segment == "..") return false;
  }
  return true;
}

/// RFC 9112 section 3.2: exactly one, and a valid one, but for HTTP/1.0, which knew no Host.
bool RequestParser::read_host(std::string_view& authority) {
  const std::size_t count = request_.count("Host");
  if (count > 1) return fail(400, "There are two Host fields.");
  if (count == 0 && !request_.is_http_1_0()) return fail(400, "The Host field is missing.");
  authority = request_.header("Host").value_or("");
  // It is empty where the client has no name for the server.
  if (!authority.empty() && !host_size_of(authority)) return fail(400, "The Host is malformed.");
  return true;
}

/// Takes `http://authority` off the front of `resource`.
bool RequestParser::split_absolute(std::string_view& resource, std::string_view& authority) {
  const std::size_t scheme_size = resource.find("://");
  const std::string_view scheme = resource.substr(0, scheme_size);
  if (scheme_size == std::string_view::npos ||
      !(iequals(scheme, "http") || iequals(scheme, "https"))) {
    return fail(400, "The target is neither a path nor an http URI.");
  }
  resource.remove_prefix(scheme_size + 3);
  authority = resource.substr(0, resource.find_first_of("/?#"));
  resource.remove_prefix(authority.size());
  return host_size_of(authority) ? true : fail(400, "The authority of the target is malformed.");
}

/// How long the body is (RFC 9112 section 6.3); every doubt about that is an error, since the next
/// server in the chain may decide it the other way.
bool RequestParser::read_framing() {
  const std::size_t lengths = request_.count("Content-Length");
  if (request_.has_header("Transfer-Encoding")) {
    if (lengths > 0)
      return fail(400, "Content-Length and Transfer-Encoding contradict each other.");
    return read_transfer_encoding();
  }
  if (lengths > 1) return fail(400, "There are two Content-Length fields.");
  return lengths == 0 || read_content_length(*request_.header("Content-Length"));
}

bool RequestParser::read_transfer_encoding() {
  if (request_.is_http_1_0()) return fail(400, "HTTP/1.0 has no Transfer-Encoding.");
  const std::string list = request_.header_list("Transfer-Encoding");
  std::string_view rest = list;
  std::size_t chunked = 0;
  while (!rest.empty()) {
    if (!iequals(trim(cut(rest, ',')), "chunked")) {
      return fail(501, "The only transfer coding known here is chunked.");
    }
    ++chunked;
  }
  // Also an empty field, which Beast and others take for no coding at all.
  if (chunked != 1 || list.size() != std::string_view("chunked").size()) {
    return fail(400, "Transfer-Encoding is malformed.");
  }
  is_chunked_ = true;
  return true;
}

bool RequestParser::read_content_length(std::string_view value) {
  const char* const end = value.data() + value.size();
  std::uint64_t length = 0;
  const auto [stop, error] = std::from_chars(value.data(), end, length);
  if (error == std::errc::invalid_argument || stop != end) {
    return fail(400, "Content-Length is malformed.");
  }
  if (error != std::errc() || length > limits_.body_bytes_max) return body_is_too_large();
  body_remaining_ = static_cast<std::size_t>(length);
  return true;
}

/// RFC 9110 section 10.1.1. HTTP/1.0 did not know it, and proxies of that age pass it on blindly.
bool RequestParser::read_expect() {
  if (request_.is_http_1_0()) return true;
  const std::string list = request_.header_list("Expect");
  std::string_view rest = list;
  while (!rest.empty()) {
    const std::string_view expectation = trim(cut(rest, ','));
    if (expectation.empty()) continue;
    if (!iequals(expectation, "100-continue")) {
      return fail(417, "The only expectation known here is 100-continue.");
    }
    request_.expects_continue_ = true;
  }
  return true;
}

void RequestParser::begin_body() {
  stage_ = is_chunked_            ? Stage::chunked_body
           : body_remaining_ != 0 ? Stage::sized_body
                                  : Stage::complete;
  continue_is_due_ = request_.expects_continue_;
}

void RequestParser::read_sized_body(std::string_view bytes, std::size_t& consumed) {
  const std::size_t size = std::min(body_remaining_, bytes.size());
  request_.body_.append(bytes.substr(0, size));
  consumed += size;
  body_remaining_ -= size;
  if (body_remaining_ == 0) stage_ = Stage::complete;
}

void RequestParser::read_chunked_body(std::string_view bytes, std::size_t& consumed) {
  const auto progress = chunked_body_.feed(bytes, request_.body_, limits_.body_bytes_max);
  consumed += progress.consumed;
  switch (progress.state) {
    case ChunkedBody::State::need_more:
      break;
    case ChunkedBody::State::complete:
      stage_ = Stage::complete;
      break;
    case ChunkedBody::State::malformed:
      fail(400, "The chunks of the body are malformed.");
      break;
    case ChunkedBody::State::body_too_large:
      body_is_too_large();
      break;
    case ChunkedBody::State::extras_too_large:
      fail(431, "Chunk extensions and trailers are too large.");
      break;
  }
}

bool RequestParser::body_is_too_large() {
  return fail(413, "The body is too large.");
}

bool RequestParser::fail(int status, std::string_view reason) {
  stage_ = Stage::failed;
  failure_ = {status, reason};
  return false;
}

}  // namespace fanfare::wire::http1
