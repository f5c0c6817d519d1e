#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/units.hpp"
#include "wire/http1/chunked_body.hpp"

namespace fanfare::wire::http1 {

using namespace base::literals;

/// One request, as RequestParser read it. Only a parser makes one, so whoever holds it need not
/// look again at syntax, framing or host.
///
/// Ownership: holds its bytes; the views it gives out live as long as it does, and not past a move.
/// Cost: one block for the head, one for the list of fields, one for the body.
class Request {
 public:
  /// Case-sensitive, as sent: `GET`.
  [[nodiscard]] std::string_view method() const { return text(method_); }
  /// The request-target as sent: `/bayeux?jsonp=f`, or `http://example.com/bayeux?jsonp=f`.
  [[nodiscard]] std::string_view target() const { return text(target_); }
  /// Starts with '/'; escapes are left in (decode each segment after splitting, not before).
  [[nodiscard]] std::string_view path() const { return path_.size == 0 ? "/" : text(path_); }
  /// Behind the '?', escapes left in; empty without one.
  [[nodiscard]] std::string_view query() const { return text(query_); }

  /// Whom the client meant, in lower case: the authority of an absolute-form target if there is one
  /// (RFC 9112 section 3.2.2), else the Host field. Brackets of IPv6 stay. Empty if unnamed.
  [[nodiscard]] std::string_view host() const { return host_with_port().substr(0, host_size_); }
  [[nodiscard]] std::string_view host_with_port() const { return authority_; }

  /// The first field of that name (in any case), without the blanks around its value.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
  /// How many fields of that name there are.
  [[nodiscard]] std::size_t count(std::string_view name) const;
  [[nodiscard]] bool has_header(std::string_view name) const { return header(name).has_value(); }
  /// All fields of that name as one comma-separated list (RFC 9110 section 5.3); empty without any.
  [[nodiscard]] std::string header_list(std::string_view name) const;
  /// Whether the comma-separated list names `token`, in any case: `("Connection", "upgrade")`.
  [[nodiscard]] bool header_has_token(std::string_view name, std::string_view token) const;

  [[nodiscard]] bool is_http_1_0() const { return is_http_1_0_; }
  /// Whether the client wants to send more on this connection (RFC 9112 section 9.3).
  [[nodiscard]] bool keep_alive() const;
  /// Whether the client may be waiting for `100 Continue` (RFC 9110 section 10.1.1).
  [[nodiscard]] bool expects_continue() const { return expects_continue_; }

  [[nodiscard]] std::string_view body() const { return body_; }
  [[nodiscard]] std::string take_body() { return std::move(body_); }

 private:
  friend class RequestParser;
  friend class HeadReader;

  // Places in head_ rather than views, so that moving a request (and with it, perhaps, a short
  // string's bytes) needs no care.
  struct Slice {
    std::uint32_t begin = 0;
    std::uint32_t size = 0;
  };
  struct Field {
    Slice name;
    Slice value;
  };

  [[nodiscard]] std::string_view text(Slice slice) const {
    return std::string_view(head_).substr(slice.begin, slice.size);
  }
  [[nodiscard]] Slice slice(std::string_view part) const {
    return {static_cast<std::uint32_t>(part.data() - head_.data()),
            static_cast<std::uint32_t>(part.size())};
  }

  std::string head_;
  std::vector<Field> fields_;
  std::string authority_;
  std::string body_;
  Slice method_;
  Slice target_;
  Slice path_;
  Slice query_;
  std::size_t host_size_ = 0;
  bool is_http_1_0_ = false;
  bool expects_continue_ = false;
};

struct RequestLimits {
  /// Request line and fields together. Browsers send 1 to 2 KB; cookies make it 8.
  std::size_t header_bytes_max = 16_KiB;
  /// JSON-P carries whole Bayeux messages in the query; browsers and proxies stop at 8 KB as well.
  std::size_t target_bytes_max = 8_KiB;
  std::size_t fields_max = 100;
  /// One publish request: thirty messages of 64 KiB.
  std::size_t body_bytes_max = 2'000'000;
};

static_assert(RequestLimits{}.header_bytes_max > RequestLimits{}.target_bytes_max,
              "the longest target must fit into a head");

/// The answer to give instead of a request. Close the connection after it: where the next request
/// would begin is not known.
struct ParseFailure {
  int status = 0;
  /// A sentence for the client, of static storage.
  std::string_view reason;
};

/// What one call of RequestParser::feed() came to.
struct Progress {
  enum State {
    need_more,
    /// As need_more, but the client waits for `100 Continue` before it sends the body. Told once.
    want_continue,
    complete,
    failed,
  };
  /// Bytes at the front that are done with. The caller keeps the others, and passes them again with
  /// what follows.
  std::size_t consumed = 0;
  State state = need_more;
};

/// Reads requests, one after the other, as strictly as request smuggling asks for: what another
/// server in the chain might read differently is refused.
///
/// - 400: syntax, framing, Host
/// - 413: the body is too large
/// - 414: the target is too long
/// - 417: an unknown Expect
/// - 431: the head is too large, or has too many fields
/// - 501: CONNECT, `OPTIONS *`, a transfer coding other than chunked
/// - 505: neither HTTP/1.0 nor HTTP/1.1
///
/// A head is consumed at once, when its last byte is there; a body as it comes. A body that
/// Content-Length makes too large is refused before any of it is read.
///
/// Cost: a parser between two requests holds no memory besides itself (about 300 bytes); every byte
/// is looked at a fixed number of times, however the input was cut.
class RequestParser {
 public:
  explicit RequestParser(const RequestLimits& limits) : limits_(limits) {}

  Progress feed(std::string_view bytes);

  /// After `complete`, once. The parser is then ready for the next request.
  [[nodiscard]] Request take_request();
  /// After `failed`.
  [[nodiscard]] const ParseFailure& failure() const { return failure_; }

  /// Bytes of the body that it keeps.
  [[nodiscard]] std::size_t body_bytes() const noexcept { return request_.body_.size(); }
  /// What it keeps of what has come.
  [[nodiscard]] std::size_t kept_bytes() const noexcept {
    return request_.head_.capacity() + request_.body_.capacity() +
           request_.fields_.capacity() * sizeof(Request::Field);
  }
  /// Whether the head of the request at hand is complete, so that a timeout for bodies applies.
  [[nodiscard]] bool head_is_complete() const { return stage_ > Stage::head; }
  /// Whether anything of a request was seen; false on a connection that idles between two.
  [[nodiscard]] bool has_begun() const { return stage_ > Stage::between; }

 private:
  enum class Stage : std::uint8_t { between, head, sized_body, chunked_body, complete, failed };

  // Each reads from the front of `bytes` and adds what it is done with to `consumed`.
  void skip_blank_lines(std::string_view bytes, std::size_t& consumed);
  void read_head(std::string_view bytes, std::size_t& consumed);
  void read_sized_body(std::string_view bytes, std::size_t& consumed);
  void read_chunked_body(std::string_view bytes, std::size_t& consumed);

  // Each returns false after it has failed the request.
  bool check_size(std::size_t head_bytes);
  bool check_line(std::string_view head, std::size_t line_end);
  bool read_fields();
  bool read_target();
  static bool check_segments(std::string_view path);
  bool read_host(std::string_view& authority);
  bool split_absolute(std::string_view& resource, std::string_view& authority);
  bool read_framing();
  bool read_transfer_encoding();
  bool read_content_length(std::string_view value);
  bool read_expect();
  bool body_is_too_large();
  bool fail(int status, std::string_view reason);

  void begin_body();

  RequestLimits limits_;
  Stage stage_ = Stage::between;
  bool continue_is_due_ = false;
  bool is_chunked_ = false;
  std::uint8_t blank_lines_ = 0;
  // Places in the unconsumed head: where its unfinished line begins, and up to where that line has
  // been searched for its end. No byte is searched twice.
  std::size_t line_begin_ = 0;
  std::size_t searched_ = 0;
  std::size_t lines_ = 0;
  std::size_t body_remaining_ = 0;
  ChunkedBody chunked_body_;
  Request request_;
  ParseFailure failure_;
};

}  // namespace fanfare::wire::http1
