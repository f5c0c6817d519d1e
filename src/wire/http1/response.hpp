#pragma once

#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"

namespace fanfare::wire::http1 {

class Request;

struct Response {
  int status = 200;
  /// Without Content-Length, Transfer-Encoding and, but for 101 and 426, Connection: encoding adds
  /// those.
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string body{};
  /// Behind `body`: bytes that many answers have in common. Null for none.
  std::shared_ptr<const std::string> shared_body{};
  /// Behind that.
  std::string body_end{};
  /// To be told that this is the connection's last answer, even if the client would go on.
  bool close = false;

  [[nodiscard]] std::size_t content_bytes() const noexcept {
    return body.size() + (shared_body ? shared_body->size() : 0) + body_end.size();
  }
  [[nodiscard]] std::string content() const {
    return body + (shared_body ? *shared_body : std::string()) + body_end;
  }
};

/// What an answer must know of its request.
struct ResponseContext {
  /// The answer to HEAD: the head of the answer to GET, and nothing behind it.
  bool head_only = false;
  bool keep_alive = false;
  bool is_http_1_0 = false;

  /// The default is for the answer to something that is no request: it ends the connection.
  ResponseContext() = default;
  explicit ResponseContext(const Request& request);
};

/// RFC 9110 sections 15.2, 15.3.5 and 15.4.5: these have no body, nor a length of one.
bool has_body(int status);

/// Head and body in one string. The connection is to be closed after it unless
/// keeps_connection(response, context).
/// `date` is the value of the field Date (HttpDate), or empty for none.
std::string encode(const Response& response, const ResponseContext& context,
                   std::string_view date = {});

/// The head alone, for who sends the body behind it in parts.
std::string encode_head(const Response& response, const ResponseContext& context,
                        std::string_view date = {}, std::size_t room = 0);

/// The head for a body that is sent piece by piece, its length unknown: each piece in a chunk
/// (encode_chunk, at the end kLastChunk), or for HTTP/1.0 bare, until the connection closes.
std::string encode_stream_head(const Response& response, const ResponseContext& context,
                               std::string_view date = {});

/// The time of day as responses say it (RFC 9110 section 5.6.7), made anew once a second.
class HttpDate {
 public:
  std::string_view at(base::WallTime now);

 private:
  std::time_t second_ = -1;
  std::string text_;
};

std::string encode_chunk(std::string_view data);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

/// The interim answer to Progress::want_continue.
inline constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

inline bool keeps_connection(const Response& response, const ResponseContext& context) {
  return context.keep_alive && !response.close;
}

/// `Not Found` for 404; for a status we do not know, what its class says.
std::string_view reason_phrase(int status);

}  // namespace fanfare::wire::http1
