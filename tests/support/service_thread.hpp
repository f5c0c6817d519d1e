#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "core/channel.hpp"
#include "core/exchange.hpp"
#include "core/realm.hpp"
#include "net/loop_thread.hpp"
#include "protocol/bayeux/service.hpp"
#include "wire/json/json.hpp"

namespace fanfare {

inline constexpr std::string_view kHandshakeMessage =
    R"([{"channel":"/meta/handshake","version":"1.0","supportedConnectionTypes":["long-polling"]}])";

inline std::string connect_message(const std::string& client, std::string_view more = "") {
  return R"([{"channel":"/meta/connect","connectionType":"long-polling","id":"c","clientId":")" +
         client + '"' + std::string(more) + "}]";
}
inline std::string subscribe_message(const std::string& client, std::string_view channel) {
  return R"([{"channel":"/meta/subscribe","id":"s","clientId":")" + client +
         R"(","subscription":")" + std::string(channel) + R"("}])";
}
inline std::string disconnect_message(const std::string& client) {
  return R"([{"channel":"/meta/disconnect","id":"d","clientId":")" + client + R"("}])";
}

/// The first clientId in an array of replies.
inline std::string client_id_in(std::string_view array) {
  constexpr std::string_view kField = R"("clientId":")";
  const std::size_t found = array.find(kField);
  return found == std::string_view::npos ? ""
                                         : std::string(array.substr(found + kField.size(), 28));
}

/// One worker's Bayeux on a loop of its own, for tests of transports. What is touched on the loop's
/// thread is touched inside thread.call().
class ServiceThread final : private core::Courier {
 public:
  ServiceThread() { exchange.meet({&exchange}); }
  ~ServiceThread() { thread.stop(); }

  void use(core::Realm made) {
    made.id = core::RealmId("site");
    realm = std::make_shared<const core::Realm>(std::move(made));
  }
  void publish(std::string_view channel, std::string data) {
    thread.call([&] {
      std::vector<core::PublishItem> items(1);
      items[0].publication = std::make_shared<core::Publication>(core::Publication{
          *core::ChannelName::parse(channel, core::ChannelRules{}), std::move(data)});
      exchange.publish(realm, std::move(items), [] {});
    });
  }
  /// Whether something waits in the session; nothing if there is no such session.
  std::optional<bool> has_waiting(const std::string& client) {
    return thread.call([&]() -> std::optional<bool> {
      auto* const session = service.find(*realm, *protocol::bayeux::SessionId::parse(client));
      if (session == nullptr) return std::nullopt;
      return session->has_waiting();
    });
  }
  /// Looks every few milliseconds, for at most five seconds; `holds` runs on the loop's thread.
  template <typename Condition>
  bool wait_until(Condition holds) {
    for (int i = 0; i < 1000; ++i) {
      if (thread.call([&] { return static_cast<bool>(holds()); })) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  }
  bool wait_until_waiting(const std::string& client) {
    return wait_until([&] {
      auto* const session = service.find(*realm, *protocol::bayeux::SessionId::parse(client));
      return session != nullptr && session->has_waiting();
    });
  }

  net::LoopThread thread;
  core::RealmPtr realm = [] {
    core::Realm made;
    made.id = core::RealmId("site");
    return std::make_shared<const core::Realm>(made);
  }();
  core::Exchange exchange{core::WorkerIndex(0), thread.clock, thread.loop.timers(), *this};
  protocol::bayeux::Service service{exchange, thread.loop.timers(), thread.clock, {}};

 private:
  void post(core::WorkerIndex /*to*/, base::Task task) noexcept override {
    thread.loop.post(std::move(task));
  }
  void at_turn_end(base::Task task) noexcept override { thread.loop.at_turn_end(std::move(task)); }
};

}  // namespace fanfare
