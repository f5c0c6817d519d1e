#include "server/worker.hpp"

#include <algorithm>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/fault.hpp"
#include "transport/websocket/upgrade.hpp"

namespace fanfare::server {
namespace {

using transport::http::ConnectionPtr;
using wire::http1::Request;

// What clients have to hear our goodbye and close.
constexpr base::Duration kDrainTimeout{3'000};
constexpr base::Duration kDrainLook{20};
constexpr base::Duration kMemoryLook{1'000};
// What they have of it for sure: publishers that go on flat out keep the door crowded no longer.
constexpr base::Duration kGoodbyeTimeout{2'000};

transport::websocket::Compression compression_of(const transport::websocket::Upgrade& upgrade) {
  if (!upgrade.deflate) return {};
  return {true, upgrade.deflate->server_window_bits == wire::websocket::kWindowBitsMax};
}

/// One worker's part of each: connections spread evenly.
core::ExchangeLimits exchange_limits(const Config& config) {
  const ServerLimits& limits = config.server_limits;
  return {.waiting_bytes_max = limits.publishing_bytes_max / config.workers,
          .memory = {.memory_max = limits.memory_max / config.workers,
                     .workers = config.workers,
                     // Whoever makes all of it small need not know of the parts.
                     .address_memory_max =
                         std::min(limits.address_memory_max, limits.memory_max) / config.workers,
                     .queued_bytes_max = limits.queued_bytes_max / config.workers}};
}

}  // namespace

Worker::Worker(Shared& shared, core::WorkerIndex index)
    : shared_(shared),
      index_(index),
      scratch_(kScratchBytes),
      loop_(shared.clock),
      exchange_(index, shared.clock, loop_.timers(), *this, exchange_limits(shared.config)),
      bayeux_(exchange_, loop_.timers(), shared.clock,
              {shared.config.server_limits.json_depth_max}),
      publish_(exchange_, shared.clock, shared.config.server_limits.json_depth_max),
      demo_(shared.demo_comments, exchange_, shared.clock),
      bayeux_over_http_(bayeux_,
                        [this](core::WorkerIndex to, const ConnectionPtr& connection,
                               Request request) { move_http(to, connection, std::move(request)); }),
      router_({shared.realms,
               shared.config.trusted_proxies,
               shared.is_draining,
               bayeux_over_http_,
               publish_,
               shared.static_files,
               {*this, index},
               demo_,
               shared.config.has_demo(),
               [this](const ConnectionPtr& connection, core::RealmPtr realm,
                      const Request& request) { upgrade(connection, std::move(realm), request); }}),
      incoming_(shared.config.server_limits.incoming_bytes_max / shared.config.workers),
      arrival_context_{
          loop_, shared.http_limits.header_timeout, scratch_,
          [this](net::Socket socket) { serve_http(std::move(socket)); },
          [this](std::string_view why) {
            shared_.unintroduced.warning(
                shared_.clock.now(),
                fmt::format("closed a connection of a trusted proxy to an address with "
                            "proxy_protocol = true: {}",
                            why));
          }},
      http_context_{loop_,
                    shared.http_limits,
                    router_,
                    exchange_.turn(),
                    exchange_.ledger(),
                    scratch_,
                    incoming_,
                    {},
                    {}},
      websocket_context_{loop_,
                         shared.websocket_limits,
                         bayeux_,
                         scratch_,
                         incoming_,
                         inflater_,
                         deflater_,
                         {},
                         [this](core::WorkerIndex to, transport::websocket::Moving moving) {
                           move_websocket(to, std::move(moving));
                         }} {}

Worker::~Worker() = default;

void Worker::be_fair() {
  loop_.when_to_stop([this] { return exchange_.turn().is_over(); });
  exchange_.ledger().on_give_way([this](std::string_view limit) {
    shared_.gave_way.warning(shared_.clock.now(),
                             fmt::format("closed who held most: {} is reached", limit));
  });
}

void Worker::listen(int descriptor, bool is_v6, bool proxy_protocol) {
  listeners_.push_back(std::make_unique<net::Listener>(
      loop_, descriptor, is_v6, [this, proxy_protocol](net::Socket socket) {
        proxy_protocol ? accept_proxied(std::move(socket)) : accept(std::move(socket));
      }));
}

void Worker::meet_others() {
  be_fair();
  std::vector<core::Exchange*> all;
  for (const auto& worker : shared_.workers) all.push_back(&worker->exchange_);
  exchange_.meet(std::move(all));
}

void Worker::start() {
  thread_ = std::thread([this] { run(); });
}

void Worker::join() {
  thread_.join();
}

void Worker::clear() {
  while (!websocket_connections_.empty()) websocket_connections_.front().abort();
  while (!http_connections_.empty()) http_connections_.front().abort();
  while (!arrivals_.empty()) arrivals_.front().abort();
  exchange_.intake().clear();
  bayeux_.clear();
  exchange_.turn().clear();
  loop_.discard_mail();
}

void Worker::run() {
  for (const auto& listener : listeners_) listener->start();
  look_at_memory();
  loop_.run();
}

void Worker::look_at_memory() noexcept {
  exchange_.ledger().look();
  shared_.kept_bytes[index_.value()] = exchange_.ledger().bytes();
  // Not for nothing: the allocator walks through all that is free to answer.
  const bool is_logged = base::log::is_shown(base::log::Level::debug);
  if (is_logged && index_ == core::WorkerIndex(0)) log_memory();
  loop_.after(kMemoryLook, [this] { look_at_memory(); });
}

/// How far what we count is what the allocator has given out.
void Worker::log_memory() {
  std::size_t kept = 0;
  for (const auto& bytes : shared_.kept_bytes) kept += bytes;
#ifdef __GLIBC__
  const auto allocator = ::mallinfo2();
  base::log::debug(
      fmt::format("memory: {} bytes are kept for peers, the allocator has given out {}", kept,
                  allocator.uordblks + allocator.hblkhd));
#else
  base::log::debug(fmt::format("memory: {} bytes are kept for peers", kept));
#endif
}

void Worker::post(core::WorkerIndex to, base::Task task) noexcept {
  shared_.workers[to.value()]->loop_.post(std::move(task));
}

void Worker::accept(net::Socket socket) {
  if (admit(socket)) serve_http(std::move(socket));
}

void Worker::accept_proxied(net::Socket socket) {
  const auto peer = socket.peer();
  if (!peer) return;
  if (!contains(shared_.config.trusted_proxies, *peer)) {
    return shared_.strangers.warning(
        shared_.clock.now(),
        fmt::format("closed a connection of {} to an address with proxy_protocol = true: it is not "
                    "among trusted_proxies",
                    peer->text()));
  }
  if (!admit(socket)) return;
  const transport::proxy::ArrivalPtr arrival(
      new transport::proxy::Arrival(arrival_context_, std::move(socket)));
  arrivals_.push_back(*arrival);
  arrival->start();
}

bool Worker::admit(net::Socket& socket) {
  const std::string_view limit = full_limit(socket);
  if (!limit.empty()) {
    shared_.refused.warning(shared_.clock.now(),
                            fmt::format("refused a connection: {} is reached", limit));
    // An answer, not silence: a WebSocket that neither opens nor fails stalls its page.
    const std::string answer = fmt::format(
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Content-Length: {}\r\nConnection: close\r\n\r\n{} is reached\n",
        limit.size() + 12, limit);
    // POSIX lacks the const.
    const iovec part{const_cast<char*>(answer.data()), answer.size()};
    socket.write({&part, 1});
    return false;
  }
  socket.count(base::Counted(shared_.connection_count));
  return true;
}

/// The limit that has no room for this connection; empty if all have.
std::string_view Worker::full_limit(const net::Socket& socket) {
  const ServerLimits& limits = shared_.config.server_limits;
  if (shared_.connection_count >= limits.connections_max) return "connections_max";
  const auto peer = socket.peer();
  // A proxy holds the connections of all visitors.
  if (peer && contains(shared_.config.trusted_proxies, *peer)) return {};
  const core::AddressPtr address = exchange_.ledger().address(socket.peer_network());
  if (address->connections >= limits.connections_per_address_max)
    return "connections_per_address_max";
  return exchange_.ledger().full_limit(*address, exchange_.ledger().no_realm());
}

void Worker::serve_http(net::Socket socket) {
  const ConnectionPtr connection(new transport::http::Connection(http_context_, std::move(socket)));
  http_connections_.push_back(*connection);
  FANFARE_MAY_THROW("a new connection");
  connection->start();
}

void Worker::upgrade(const ConnectionPtr& connection, core::RealmPtr realm,
                     const Request& request) {
  FANFARE_MAY_THROW("an upgrade");
  if (shared_.is_draining) {
    wire::http1::Response leaving;
    leaving.status = 503;
    leaving.close = true;
    return connection->respond(leaving);
  }
  const transport::websocket::Upgrade upgrade = transport::websocket::accept_upgrade(request);
  if (!upgrade.is_accepted()) return connection->respond(upgrade.response);
  std::string answer = encode(upgrade.response, wire::http1::ResponseContext(request));
  auto [socket, unread, unwritten] = connection->detach();
  const transport::websocket::ConnectionPtr made(new transport::websocket::Connection(
      websocket_context_, std::move(socket), std::move(realm), compression_of(upgrade)));
  websocket_connections_.push_back(*made);
  made->attempt("a WebSocket that began", [&, &ahead = unread, &first = unwritten] {
    FANFARE_MAY_THROW("a WebSocket that begins");
    made->start(std::move(first) + answer, std::move(ahead));
  });
}

void Worker::move_http(core::WorkerIndex to, const ConnectionPtr& connection, Request request) {
  auto [socket, unread, unwritten] = connection->detach();
  FANFARE_MAY_THROW("a connection that moves");
  Worker* const there = shared_.workers[to.value()].get();
  post(to, [there, moving = MovingHttp{socket.release(), std::move(request), std::move(unread),
                                       std::move(unwritten)}]() mutable {
    there->take_http(std::move(moving));
  });
}

void Worker::take_http(MovingHttp moving) {
  FANFARE_MAY_THROW("a connection from another worker");
  const ConnectionPtr connection(
      new transport::http::Connection(http_context_, net::Socket(loop_, std::move(moving.socket))));
  http_connections_.push_back(*connection);
  connection->attempt("a connection that had moved", [&] {
    connection->resume(std::move(moving.request), std::move(moving.unread),
                       std::move(moving.unwritten));
  });
  if (shared_.is_draining) connection->drain();
}

void Worker::move_websocket(core::WorkerIndex to, transport::websocket::Moving moving) {
  Worker* const there = shared_.workers[to.value()].get();
  post(to,
       [there, moving = std::move(moving)]() mutable { there->take_websocket(std::move(moving)); });
}

void Worker::take_websocket(transport::websocket::Moving moving) {
  FANFARE_MAY_THROW("a WebSocket from another worker");
  const transport::websocket::ConnectionPtr connection(new transport::websocket::Connection(
      websocket_context_, net::Socket(loop_, std::move(moving.socket)), moving.realm,
      moving.compression));
  websocket_connections_.push_back(*connection);
  connection->attempt("a WebSocket that had moved", [&] { connection->resume(std::move(moving)); });
  if (shared_.is_draining) connection->close(core::kShutdown);
}

void Worker::drain() {
  loop_.post([this] { begin_drain(); });
}

void Worker::begin_drain() noexcept {
  for (const auto& listener : listeners_) listener->close();
  while (!arrivals_.empty()) arrivals_.front().abort();  // nothing has been asked yet
  drain_deadline_ = shared_.clock.now() + kDrainTimeout;
  exchange_.release_waiting();
  //  Behind the publications that this has just posted, so that they are there before clients go.
  for (const auto& worker : shared_.workers) {
    Worker* const there = worker.get();
    post(there->index_, [there] { there->count_worker_that_let_go(); });
  }
  stop_when_idle();
}

void Worker::count_worker_that_let_go() noexcept {
  if (++workers_that_let_go_ == shared_.workers.size()) release_clients();
}

void Worker::release_clients() noexcept {
  // What was answered 200 may still wait at the door.
  const bool has_time = shared_.clock.now() < drain_deadline_ - kGoodbyeTimeout;
  if (has_time && exchange_.intake().is_crowded())
    return at_turn_end([this] { release_clients(); });
  bayeux_.release_all();
  for (auto at = websocket_connections_.begin(); at != websocket_connections_.end();) {
    (at++)->close(core::kShutdown);
  }
  for (auto at = http_connections_.begin(); at != http_connections_.end();) (at++)->drain();
}

void Worker::stop_when_idle() noexcept {
  // Of all workers: one of them may wait for an answer from this one.
  const bool is_idle = shared_.connection_count == 0;
  if (is_idle || shared_.clock.now() >= drain_deadline_) return loop_.stop();
  loop_.after(kDrainLook, [this] { stop_when_idle(); });
}

}  // namespace fanfare::server
