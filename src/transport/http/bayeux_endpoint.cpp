#include "transport/http/bayeux_endpoint.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/fault.hpp"
#include "transport/http/bayeux_call.hpp"
#include "transport/http/event_stream.hpp"
#include "wire/http1/cors.hpp"
#include "wire/http1/url.hpp"

namespace fanfare::transport::http {
namespace {

using wire::http1::Plus;
using wire::http1::Request;
using wire::http1::Response;

constexpr std::size_t kCallbackBytesMax = 64;
constexpr std::string_view kDefaultCallback = "jsonpcallback";

std::string origin_of(const Request& request) {
  return std::string(request.header("Origin").value_or(""));
}

void refuse(const ConnectionPtr& connection, const Request& request, int status,
            std::string_view text) {
  Response response;
  response.status = status;
  response.headers = {{"Content-Type", "text/plain; charset=utf-8"},
                      {"X-Content-Type-Options", "nosniff"}};
  response.body.assign(text);
  wire::http1::allow_origin(response, origin_of(request));
  connection->respond(response);
}

/// `name` or `name.name.name`, each a JavaScript identifier in ASCII.
bool is_callback(std::string_view text) {
  if (text.empty() || text.size() > kCallbackBytesMax) return false;
  bool starts_name = true;
  for (const char c : text) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
    const bool is_digit = c >= '0' && c <= '9';
    if (c == '.') {
      if (starts_name) return false;
      starts_name = true;
    } else if (is_letter || (is_digit && !starts_name)) {
      starts_name = false;
    } else {
      return false;
    }
  }
  return !starts_name;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  return out;
}

bool is_json_type(std::string_view content_type) {
  std::string type = lower(content_type.substr(0, content_type.find(';')));
  while (!type.empty() && type.back() == ' ') type.pop_back();
  return type == "application/json" || type == "text/json" || type.ends_with("+json");
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

/// The messages of a form: every field `message` is an object or an array, together they are one
/// array.
std::optional<std::string> messages_of_form(std::string_view form) {
  std::vector<std::string> values;
  for (const wire::http1::FormField field : wire::http1::form_fields(form)) {
    if (field.raw_name != "message") continue;
    auto value = field.value();
    if (!value) return std::nullopt;
    values.push_back(std::move(*value));
  }
  if (values.empty()) return std::nullopt;
  if (values.size() == 1) return std::move(values.front());
  std::string joined;
  for (const std::string& value : values) {
    std::string_view elements = trim(value);
    if (elements.starts_with('[') && elements.ends_with(']'))
      elements = trim(elements.substr(1, elements.size() - 2));
    if (elements.empty()) continue;
    joined += joined.empty() ? '[' : ',';
    joined += elements;
  }
  return joined.empty() ? "[]" : joined + "]";
}

/// Whether a POST carries JSON rather than a form (spec/bayeux section 6.2): the type decides if it
/// says so, else the first character, because Faye labels forms as text and others label nothing.
bool carries_json(const Request& request) {
  if (is_json_type(request.header("Content-Type").value_or(""))) return true;
  const std::string_view body = trim(request.body());
  return body.starts_with('[') || body.starts_with('{');
}

}  // namespace

void BayeuxEndpoint::handle(const ConnectionPtr& connection, const core::RealmPtr& realm,
                            std::string_view path, Request request) {
  FANFARE_MAY_THROW("a request of Bayeux");
  if (!realm->allows_origin(request.header("Origin"))) {
    wire::http1::Response response;
    response.status = 403;
    response.headers = {{"Content-Type", "text/plain; charset=utf-8"}, {"Vary", "Origin"}};
    response.body = "This origin is not among the realm's allowed_origins.\n";
    return connection->respond(response);
  }
  if (wire::http1::is_preflight(request))
    return connection->respond(wire::http1::preflight_response(request));
  if (request.method() == "POST") return poll(connection, realm, request);
  if (request.method() == "GET") {
    const std::string accept = request.header_list("Accept");
    if (accept.find("text/event-stream") != std::string::npos) {
      return open_stream(connection, realm, path, request);
    }
    if (const auto message = wire::http1::form_value(request.query(), "message")) {
      return callback_poll(connection, realm, request, *message);
    }
  }
  refuse(connection, request, 400, "Bad request");
}

void BayeuxEndpoint::poll(const ConnectionPtr& connection, const core::RealmPtr& realm,
                          Request& request) {
  if (carries_json(request)) return handle_messages(connection, realm, request, request.body(), {});
  const auto messages = messages_of_form(request.body());
  if (!messages) return refuse(connection, request, 400, "Bad request");
  handle_messages(connection, realm, request, *messages, {});
}

void BayeuxEndpoint::callback_poll(const ConnectionPtr& connection, const core::RealmPtr& realm,
                                   Request& request, std::string_view message) {
  bool names_callback = false;
  for (const wire::http1::FormField field : wire::http1::form_fields(request.query())) {
    names_callback = names_callback || field.raw_name == "jsonp";
  }
  const auto callback = names_callback ? wire::http1::form_value(request.query(), "jsonp")
                                       : std::string(kDefaultCallback);
  if (!callback || !is_callback(*callback)) return refuse(connection, request, 400, "Bad request");
  handle_messages(connection, realm, request, message, *callback);
}

void BayeuxEndpoint::handle_messages(const ConnectionPtr& connection, const core::RealmPtr& realm,
                                     Request& request, std::string_view text,
                                     const std::string& callback) {
  const auto messages = service_.parse(*realm, text);
  if (!messages) {
    const bool is_too_large = messages.error().code == base::Errc::too_large;
    return refuse(connection, request, is_too_large ? 413 : 400, messages.error().detail);
  }
  FANFARE_MAY_THROW("messages that may live elsewhere");
  if (const auto worker = service_.elsewhere(*messages))
    return move_(*worker, connection, std::move(request));
  const protocol::bayeux::CallerPtr call(
      new BayeuxCall(service_, realm, connection, origin_of(request), callback));
  FANFARE_MAY_THROW("a call with messages");
  service_.handle(realm, *messages, call);
}

void BayeuxEndpoint::open_stream(const ConnectionPtr& connection, const core::RealmPtr& realm,
                                 std::string_view path, Request& request) {
  const auto id = protocol::bayeux::SessionId::parse(path.substr(path.rfind('/') + 1));
  if (id && service_.is_elsewhere(*id)) return move_(id->worker(), connection, std::move(request));
  auto* const session = id ? service_.find(*realm, *id) : nullptr;
  if (session == nullptr) return refuse(connection, request, 404, "Unknown client");
  Response head;
  head.headers = {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-cache, no-store"}};
  wire::http1::allow_origin(head, origin_of(request));
  FANFARE_MAY_THROW("an event stream");
  session->touch();
  EventStream::open(connection, *session, head);
}

}  // namespace fanfare::transport::http
