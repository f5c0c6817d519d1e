#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <boost/intrusive/list.hpp>

#include "api/demo.hpp"
#include "api/publish.hpp"
#include "api/static_files.hpp"
#include "base/background.hpp"
#include "base/byte_budget.hpp"
#include "base/seldom.hpp"
#include "core/exchange.hpp"
#include "net/event_loop.hpp"
#include "net/listener.hpp"
#include "protocol/bayeux/service.hpp"
#include "server/config.hpp"
#include "server/realms.hpp"
#include "server/router.hpp"
#include "transport/http/connection.hpp"
#include "transport/proxy/arrival.hpp"
#include "transport/websocket/connection.hpp"
#include "wire/websocket/deflate.hpp"

namespace fanfare::server {

class Worker;

/// What all workers share. Immutable, or made for many threads.
struct Shared {
  const Config& config;
  const Realms& realms;
  const base::Clock& clock;
  api::DemoComments demo_comments{};
  base::Background background{};
  api::StaticFiles static_files{config.static_dir.value_or(""), background, clock};
  std::atomic<bool> is_draining{false};
  std::atomic<std::size_t> connection_count{0};
  transport::http::ConnectionLimits http_limits{};
  transport::websocket::ConnectionLimits websocket_limits{};
  /// All workers, in the order of their indices; filled before any of them runs.
  std::vector<std::unique_ptr<Worker>> workers{};
  /// At addresses with the PROXY protocol: who is no proxy, and proxies that do not speak it.
  base::log::Seldom strangers{};
  base::log::Seldom unintroduced{};
  /// Connections for which there was no room, and holders of memory who gave way.
  base::log::Seldom refused{};
  base::log::Seldom gave_way{};
  /// What each worker keeps for peers, as of its last look.
  std::array<std::atomic<std::size_t>, core::kWorkersMax> kept_bytes{};
};

/// One thread with its own loop, connections, sessions, timers and hubs. It shares nothing with the
/// others but what stands in Shared, and talks to them through their loops' mailboxes.
class Worker final : public core::Courier {
 public:
  Worker(Shared& shared, core::WorkerIndex index);
  ~Worker();

  /// Before start(): accepts from this descriptor too; with `proxy_protocol`, trusted proxies
  /// alone.
  void listen(int descriptor, bool is_v6, bool proxy_protocol);
  void meet_others();
  void start();
  void join();

  /// When no worker runs any more, and before the first is destroyed: drops connections, sessions
  /// and mail, which know the other workers. Twice for all, since dropping one worker's sessions
  /// sends mail to the others.
  void clear();

  /// From any thread: tells all clients, and ends when they have gone, or soon after.
  void drain();

  [[nodiscard]] core::Exchange& exchange() noexcept { return exchange_; }

  void post(core::WorkerIndex to, base::Task task) noexcept override;
  void at_turn_end(base::Task task) noexcept override { loop_.at_turn_end(std::move(task)); }

 private:
  /// An HTTP connection between two workers.
  struct MovingHttp {
    net::Socket::Released socket;
    wire::http1::Request request;
    std::string unread;
    std::string unwritten;
  };

  void run();
  void be_fair();
  void look_at_memory() noexcept;
  void log_memory();
  [[nodiscard]] std::string_view full_limit(const net::Socket& socket);
  void accept(net::Socket socket);
  void accept_proxied(net::Socket socket);
  /// False, and the peer has its answer, when there are too many connections.
  [[nodiscard]] bool admit(net::Socket& socket);
  void serve_http(net::Socket socket);
  void begin_drain() noexcept;
  void count_worker_that_let_go() noexcept;
  void release_clients() noexcept;
  void stop_when_idle() noexcept;
  void move_http(core::WorkerIndex to, const transport::http::ConnectionPtr& connection,
                 wire::http1::Request request);
  void move_websocket(core::WorkerIndex to, transport::websocket::Moving moving);
  void take_http(MovingHttp moving);
  void take_websocket(transport::websocket::Moving moving);
  void upgrade(const transport::http::ConnectionPtr& connection, core::RealmPtr realm,
               const wire::http1::Request& request);

  // One read takes at most this much: enough for a burst of frames, small enough for the cache.
  static constexpr std::size_t kScratchBytes = 64 * 1024;

  Shared& shared_;
  core::WorkerIndex index_;
  std::vector<char> scratch_;
  net::EventLoop loop_;
  core::Exchange exchange_;
  protocol::bayeux::Service bayeux_;
  api::PublishApi publish_;
  api::Demo demo_;
  transport::http::BayeuxEndpoint bayeux_over_http_;
  Router router_;
  base::ByteBudget incoming_;
  wire::websocket::Inflater inflater_;
  wire::websocket::Deflater deflater_;
  transport::proxy::ArrivalContext arrival_context_;
  transport::http::ConnectionContext http_context_;
  transport::websocket::ConnectionContext websocket_context_;
  std::vector<std::unique_ptr<net::Listener>> listeners_;
  boost::intrusive::list<transport::proxy::Arrival,
                         boost::intrusive::base_hook<transport::proxy::ArrivalHook>,
                         boost::intrusive::constant_time_size<false>>
      arrivals_;
  boost::intrusive::list<transport::http::Connection,
                         boost::intrusive::base_hook<transport::http::ConnectionHook>,
                         boost::intrusive::constant_time_size<false>>
      http_connections_;
  boost::intrusive::list<transport::websocket::Connection,
                         boost::intrusive::base_hook<transport::websocket::ConnectionHook>,
                         boost::intrusive::constant_time_size<false>>
      websocket_connections_;
  base::TimePoint drain_deadline_;
  std::size_t workers_that_let_go_ = 0;  // during a drain
  std::thread thread_;
};

}  // namespace fanfare::server
