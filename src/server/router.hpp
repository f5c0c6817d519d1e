#pragma once

#include <atomic>
#include <span>
#include <string_view>

#include "api/demo.hpp"
#include "api/publish.hpp"
#include "api/static_files.hpp"
#include "base/ip_address.hpp"
#include "server/realms.hpp"
#include "transport/http/bayeux_endpoint.hpp"
#include "transport/http/connection.hpp"
#include "wire/websocket/deflate.hpp"

namespace fanfare::server {

/// Which path leads where, for one worker.
///
///   /bayeux…, /r/{realm}/bayeux…       browsers: polling, JSON-P, event streams, WebSocket
///   /bayeux/static/{file}              the browser library
///   /realm/{realm}/publish/[{channel}] the site's server
///   /demo/…, /healthz
class Router final : public transport::http::Handler {
 public:
  /// Hands a connection on to the WebSocket transport.
  using Upgrade = std::function<void(const transport::http::ConnectionPtr&, core::RealmPtr,
                                     const wire::http1::Request&)>;

  struct Parts {
    const Realms& realms;
    std::span<const base::IpNetwork> trusted_proxies;
    const std::atomic<bool>& is_draining;
    transport::http::BayeuxEndpoint& bayeux;
    api::PublishApi& publish;
    api::StaticFiles& static_files;
    api::StaticFiles::Asker asker;  // this worker
    api::Demo& demo;
    bool has_demo;
    Upgrade upgrade;
  };
  explicit Router(Parts parts) : parts_(std::move(parts)) {}

  void handle(const transport::http::ConnectionPtr& connection,
              wire::http1::Request request) override;

 private:
  [[nodiscard]] bool note_visitor(net::Socket& socket, const wire::http1::Request& request) const;
  void handle_bayeux(const transport::http::ConnectionPtr& connection, const core::RealmPtr& realm,
                     std::string_view path, wire::http1::Request request);
  void handle_file(const transport::http::ConnectionPtr& connection, std::string_view name,
                   const wire::http1::Request& request);
  void handle_api(const transport::http::ConnectionPtr& connection, std::string_view path,
                  const wire::http1::Request& request);
  void handle_demo(const transport::http::ConnectionPtr& connection, std::string_view path,
                   const wire::http1::Request& request);
  void handle_health(const transport::http::ConnectionPtr& connection,
                     const wire::http1::Request& request);

  Parts parts_;
};

}  // namespace fanfare::server
