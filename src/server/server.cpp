#include "server/server.hpp"

#include <unistd.h>
#include <utility>

#include "api/static_files.hpp"
#include "net/listener.hpp"
#include "server/realms.hpp"
#include "server/worker.hpp"

namespace fanfare::server {

struct Server::Parts {
  Parts(Config its_config, const std::vector<core::Realm>& its_realms)
      : config(std::move(its_config)), realms(its_realms, config.domains) {}

  Config config;
  Realms realms;
  base::SystemClock clock;
  Shared shared{.config = config, .realms = realms, .clock = clock};
};

namespace {

transport::http::ConnectionLimits http_limits(const ServerLimits& limits) {
  transport::http::ConnectionLimits out{};
  out.request.header_bytes_max = limits.header_bytes_max;
  out.request.target_bytes_max = std::min(out.request.target_bytes_max, limits.header_bytes_max);
  out.request.body_bytes_max = limits.body_bytes_max;
  out.header_timeout = limits.header_timeout;
  out.body_timeout = limits.body_timeout;
  out.keep_alive_timeout = limits.keep_alive_timeout;
  return out;
}

/// The descriptors of one address, one per worker.
struct Listening {
  std::vector<int> descriptors;
  bool is_v6;
  bool proxy_protocol;
};

}  // namespace

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Server::~Server() {
  parts_->shared.background.stop();  // it may hold connections of the workers
  for (int round = 0; round < 2; ++round) {
    for (const auto& worker : parts_->shared.workers) worker->clear();
  }
}

base::Result<std::unique_ptr<Server>> Server::start(Config config,
                                                    std::vector<core::Realm> realms) {
  std::unique_ptr<Server> server(new Server(std::make_unique<Parts>(std::move(config), realms)));
  Parts& parts = *server->parts_;
  const std::size_t worker_count = parts.config.workers;

  std::vector<Listening> listening;
  std::vector<std::string> proxied;
  for (const ListenAddress& wanted : parts.config.listen) {
    net::Address address{wanted.host, wanted.port};
    auto descriptors = net::open_listeners(address, worker_count);
    if (!descriptors) {
      for (const Listening& opened : listening) {
        for (const int descriptor : opened.descriptors) ::close(descriptor);
      }
      return descriptors.error();
    }
    listening.push_back({std::move(*descriptors), address.host.find(':') != std::string::npos,
                         wanted.proxy_protocol});
    (wanted.proxy_protocol ? proxied : server->addresses_).push_back(address.text());
  }

  server->addresses_.insert(server->addresses_.end(), proxied.begin(), proxied.end());
  server->proxied_addresses_ = proxied.size();

  Shared& shared = parts.shared;
  shared.http_limits = http_limits(parts.config.server_limits);
  shared.websocket_limits = {parts.config.server_limits.websocket_message_bytes_max,
                             parts.config.server_limits.body_timeout,
                             parts.config.server_limits.websocket_ping_interval,
                             parts.config.server_limits.websocket_unused_timeout};
  for (std::size_t i = 0; i < worker_count; ++i) {
    const core::WorkerIndex index(static_cast<std::uint8_t>(i));
    shared.workers.push_back(std::make_unique<Worker>(shared, index));
    for (const Listening& opened : listening)
      shared.workers.back()->listen(opened.descriptors[i], opened.is_v6, opened.proxy_protocol);
  }
  for (const auto& worker : shared.workers) worker->meet_others();
  return server;
}

void Server::run() {
  for (const auto& worker : parts_->shared.workers) worker->start();
  for (const auto& worker : parts_->shared.workers) worker->join();
  parts_->shared.background.stop();
}

void Server::stop() {
  if (parts_->shared.is_draining.exchange(true)) return;
  for (const auto& worker : parts_->shared.workers) worker->drain();
}

std::pair<std::string, std::string> Server::browser_library() {
  const auto& [name, integrity] = api::StaticFiles::browser_library();
  return {name, integrity};
}

}  // namespace fanfare::server
