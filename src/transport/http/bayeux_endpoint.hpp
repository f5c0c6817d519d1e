#pragma once

#include <functional>
#include <string>

#include "core/realm.hpp"
#include "core/worker_set.hpp"
#include "protocol/bayeux/service.hpp"
#include "transport/http/connection.hpp"

namespace fanfare::transport::http {

/// Bayeux over HTTP, for one worker: long-polling (same and cross origin), callback-polling, event
/// streams, and the preflights of browsers (spec/bayeux section 6).
///
/// Threads: one worker's.
class BayeuxEndpoint {
 public:
  /// Brings a connection with its request to the worker on which its session lives.
  using Move = std::function<void(core::WorkerIndex, const ConnectionPtr&, wire::http1::Request)>;

  BayeuxEndpoint(protocol::bayeux::Service& service, Move move)
      : service_(service), move_(std::move(move)) {}

  /// `path` is what follows the mount: "" or "/…".
  void handle(const ConnectionPtr& connection, const core::RealmPtr& realm, std::string_view path,
              wire::http1::Request request);

 private:
  // `request` is moved from when its connection has to go to another worker.
  void handle_messages(const ConnectionPtr& connection, const core::RealmPtr& realm,
                       wire::http1::Request& request, std::string_view text,
                       const std::string& callback);
  void poll(const ConnectionPtr& connection, const core::RealmPtr& realm,
            wire::http1::Request& request);
  void callback_poll(const ConnectionPtr& connection, const core::RealmPtr& realm,
                     wire::http1::Request& request, std::string_view message);
  void open_stream(const ConnectionPtr& connection, const core::RealmPtr& realm,
                   std::string_view path, wire::http1::Request& request);

  protocol::bayeux::Service& service_;
  Move move_;
};

}  // namespace fanfare::transport::http
