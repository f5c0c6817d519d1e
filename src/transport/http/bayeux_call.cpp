#include "transport/http/bayeux_call.hpp"

#include <utility>

#include "protocol/bayeux/replies.hpp"
#include "wire/http1/cors.hpp"

namespace fanfare::transport::http {
namespace {

using protocol::bayeux::Deliveries;
using wire::http1::Response;

/// JavaScript ends a line at U+2028 and U+2029, JSON does not: inside a script they must be
/// escaped.
std::string escape_line_separators(std::string_view json) {
  std::string out;
  out.reserve(json.size() + 16);
  for (std::size_t at = 0; at < json.size();) {
    const std::size_t found = json.find("\xe2\x80", at);
    if (found == std::string_view::npos || found + 2 >= json.size()) {
      out.append(json.substr(at));
      break;
    }
    out.append(json.substr(at, found - at));
    const char last = json[found + 2];
    if (last == '\xa8') {
      out += "\\u2028";
    } else if (last == '\xa9') {
      out += "\\u2029";
    } else {
      out.append(json.substr(found, 3));
    }
    at = found + 3;
  }
  return out;
}

}  // namespace

BayeuxCall::BayeuxCall(protocol::bayeux::Service& service, core::RealmPtr realm,
                       ConnectionPtr connection, std::string origin, std::string callback)
    : service_(service),
      realm_(std::move(realm)),
      connection_(std::move(connection)),
      origin_(std::move(origin)),
      callback_(std::move(callback)) {}

Response BayeuxCall::response(std::string_view elements, const core::BundlePtr& bundle) const {
  std::string begin = "[";
  begin += elements;
  if (bundle && !elements.empty()) begin += ',';

  Response response;
  response.headers = {{"Content-Type", "application/json; charset=utf-8"},
                      {"Cache-Control", "no-cache, no-store"},
                      {"X-Content-Type-Options", "nosniff"}};
  if (callback_.empty()) {
    response.body = std::move(begin);
    if (bundle) response.shared_body = protocol::bayeux::shared_deliveries(bundle);
    response.body_end = "]";
    wire::http1::allow_origin(response, origin_);
  } else {
    // The comment in front and the file name keep others from running the answer as something else
    // (a Flash file whose bytes a callback name could spell).
    response.headers[0].second = "text/javascript; charset=utf-8";
    response.headers.emplace_back("Content-Disposition", "attachment; filename=f.txt");
    if (bundle) begin += protocol::bayeux::deliveries(*bundle);
    response.body = "/**/" + callback_ + "(" + escape_line_separators(begin + "]") + ");";
  }
  return response;
}

std::string BayeuxCall::peer_network() const {
  return connection_->socket().peer_network();
}

void BayeuxCall::answer(std::string_view elements, const Deliveries& deliveries) noexcept {
  const protocol::bayeux::CallerPtr self(this);
  holder_ = nullptr;
  const auto connection = std::exchange(connection_, nullptr);
  // With deliveries the answer is followed until it is known to have arrived.
  connection->watch(deliveries.bundle ? this : nullptr);
  answered_ = deliveries;
  if (deliveries.bundle) answered_on_ = connection;
  const Response answer = response(elements, deliveries.bundle);
  service_.turn().spend(answer.content_bytes());
  connection->respond(answer);
}

void BayeuxCall::supersede() noexcept {
  const protocol::bayeux::CallerPtr self(this);
  holder_ = nullptr;
  const auto connection = std::exchange(connection_, nullptr);
  connection->watch(nullptr);
  // Not 200: two tabs that share a session would evict each other without a pause. Not JSON: some
  // clients read the body whatever the status.
  Response response;
  response.status = 500;
  connection->respond(response);
}

void BayeuxCall::fail() noexcept {
  const protocol::bayeux::CallerPtr self(this);
  if (const auto connection = std::exchange(connection_, nullptr)) connection->fail();
}

void BayeuxCall::hold(protocol::bayeux::Session& session) noexcept {
  holder_ = &session;
  connection_->watch(this);
}

void BayeuxCall::peer_left() noexcept {
  const protocol::bayeux::CallerPtr self(this);
  connection_.reset();
  if (holder_ != nullptr) std::exchange(holder_, nullptr)->caller_left();
}

void BayeuxCall::settle() noexcept {
  const protocol::bayeux::CallerPtr self(this);
  if (answered_on_) answered_on_->settle_answer();
  answered_ = {};
  answered_on_.reset();
}

void BayeuxCall::answer_arrived(bool has_arrived) noexcept {
  answered_on_.reset();
  const Deliveries lost = std::exchange(answered_, {});
  if (has_arrived || !lost.bundle) return;
  if (auto* const session = service_.find(*realm_, lost.session)) session->requeue(lost.bundle);
}

}  // namespace fanfare::transport::http
