#include "server/router.hpp"

#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "api/reply.hpp"
#include "base/fault.hpp"
#include "transport/websocket/upgrade.hpp"
#include "wire/http1/cors.hpp"
#include "wire/http1/forwarded.hpp"
#include "wire/http1/url.hpp"

namespace fanfare::server {
namespace {

using base::Errc;
using base::Error;
using transport::http::ConnectionPtr;
using wire::http1::Request;
using wire::http1::Response;

/// What follows `prefix` in `path`, if that is the prefix itself or goes on with a slash.
std::optional<std::string_view> below(std::string_view path, std::string_view prefix) {
  if (!path.starts_with(prefix)) return std::nullopt;
  path.remove_prefix(prefix.size());
  if (!path.empty() && path.front() != '/') return std::nullopt;
  return path;
}

/// "/name/rest" → "name", "/rest".
std::pair<std::string_view, std::string_view> first_segment(std::string_view path) {
  path.remove_prefix(std::min<std::size_t>(1, path.size()));
  const std::size_t slash = std::min(path.find('/'), path.size());
  return {path.substr(0, slash), path.substr(slash)};
}

Response text_response(int status, std::string_view text) {
  Response response;
  response.status = status;
  response.headers = {{"Content-Type", "text/plain; charset=utf-8"}, {"Cache-Control", "no-store"}};
  response.body.assign(text);
  return response;
}

/// Bayeux clients read a body that is JSON whatever its status, so this is none (rule R3).
Response no_realm(const Request& request) {
  Response response =
      text_response(404, fmt::format("No realm is served for '{}'. Name it by the host, as in "
                                     "{{realm}}.localhost, or by the path, as "
                                     "in /r/{{realm}}/bayeux.\n",
                                     request.host()));
  allow_origin(response, request.header("Origin").value_or(""));
  return response;
}

}  // namespace

/// For each request anew: a proxy sends those of many visitors through one connection.
bool Router::note_visitor(net::Socket& socket, const Request& request) const {
  if (parts_.trusted_proxies.empty()) return false;
  const auto peer = is_forwarded(request) ? socket.peer() : std::nullopt;
  if (peer) {
    socket.set_visitor(visitor_of(request, *peer, parts_.trusted_proxies));
  } else {
    socket.set_visitor(std::nullopt);
  }
  return true;
}

void Router::handle(const ConnectionPtr& connection, Request request) {
  FANFARE_MAY_THROW("the way of a request");
  if (note_visitor(connection->socket(), request)) connection->visitor_changed();
  // A copy, because the request may travel on while its path is being looked at.
  const std::string whole(request.path());
  const std::string_view path = whole;
  if (const auto rest = below(path, "/bayeux")) {
    core::RealmPtr realm = parts_.realms.of_host(request.host());
    return handle_bayeux(connection, realm, *rest, std::move(request));
  }
  if (const auto named = below(path, "/r")) {
    const auto [id, rest] = first_segment(*named);
    if (const auto below_mount = below(rest, "/bayeux")) {
      return handle_bayeux(connection, parts_.realms.find(id), *below_mount, std::move(request));
    }
  }
  if (const auto rest = below(path, "/realm")) return handle_api(connection, *rest, request);
  if (const auto rest = below(path, "/demo"); rest && parts_.has_demo)
    return handle_demo(connection, *rest, request);
  if (path == "/healthz") return handle_health(connection, request);
  // Where Faye's server has its client for a mount "/bayeux".
  if (path == "/bayeux.js") return handle_file(connection, "client.js", request);
  if (path == "/" && parts_.has_demo) {
    Response response = text_response(302, "The demo is at /demo/\n");
    response.headers.emplace_back("Location", "/demo/");
    return connection->respond(response);
  }
  connection->respond(api::error_response({Errc::not_found, "nothing is served under this path"}));
}

void Router::handle_bayeux(const ConnectionPtr& connection, const core::RealmPtr& realm,
                           std::string_view path, Request request) {
  if (const auto file = below(path, "/static"); file && file->size() > 1) {
    return handle_file(connection, file->substr(1), request);
  }
  if (path.ends_with(".js") || path.ends_with(".map")) {
    return handle_file(connection, path.substr(path.rfind('/') + 1), request);
  }
  if (!realm) return connection->respond(no_realm(request));
  if (transport::websocket::is_upgrade(request) && realm->allows_origin(request.header("Origin"))) {
    return parts_.upgrade(connection, realm, request);
  }
  parts_.bayeux.handle(connection, realm, path, std::move(request));
}

void Router::handle_file(const ConnectionPtr& connection, std::string_view name,
                         const Request& request) {
  parts_.static_files.handle(request, name, parts_.asker, transport::http::Answer(connection));
}

void Router::handle_api(const ConnectionPtr& connection, std::string_view path,
                        const Request& request) {
  const auto refuse = [&](std::string detail) {
    Response response = api::error_response({Errc::not_found, std::move(detail)});
    allow_origin(response, request.header("Origin").value_or(""));
    connection->respond(response);
  };
  auto [segment, rest] = first_segment(path);
  const std::string id = wire::http1::percent_decode(segment).value_or(std::string(segment));
  // Libraries put "/publish/" behind a URL that ends in a slash.
  while (rest.starts_with("//")) rest.remove_prefix(1);
  const auto channel = below(rest, "/publish");
  if (!channel) {
    return refuse("nothing is served under this path; publish with POST /realm/{realm}/publish/");
  }
  const core::RealmPtr realm = parts_.realms.find(id);
  if (!realm) return refuse(fmt::format("there is no realm '{}'", id));
  std::string_view name = *channel;
  while (name.starts_with('/')) name.remove_prefix(1);
  if (name.ends_with('/')) name.remove_suffix(1);
  parts_.publish.handle(request, realm, name, transport::http::Answer(connection));
}

void Router::handle_demo(const ConnectionPtr& connection, std::string_view path,
                         const Request& request) {
  if (path.empty()) {
    Response response = text_response(302, "The demo is at /demo/\n");
    response.headers.emplace_back("Location", "/demo/");
    return connection->respond(response);
  }
  core::RealmPtr realm = parts_.realms.of_host(request.host());
  const bool is_named_by_path = !realm;
  if (!realm) realm = parts_.realms.first();
  const std::string bayeux =
      is_named_by_path ? fmt::format("/r/{}/bayeux", realm->id.value()) : "/bayeux";
  parts_.demo.handle(request, realm, path.substr(1), bayeux, transport::http::Answer(connection));
}

void Router::handle_health(const ConnectionPtr& connection, const Request& request) {
  if (request.method() != "GET" && request.method() != "HEAD") {
    Response response = text_response(405, "GET or HEAD\n");
    response.headers.emplace_back("Allow", "GET, HEAD");
    return connection->respond(response);
  }
  if (parts_.is_draining) return connection->respond(text_response(503, "draining\n"));
  connection->respond(text_response(200, "ok\n"));
}

}  // namespace fanfare::server
