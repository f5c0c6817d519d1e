#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/office.hpp"
#include "core/publications.hpp"
#include "core/realm.hpp"
#include "protocol/bayeux/fakes.hpp"
#include "protocol/bayeux/service.hpp"

namespace fanfare::protocol::bayeux {

inline std::string handshake(std::string_view more = "") {
  return fmt::format(R"({{"channel":"/meta/handshake","version":"1.0",)"
                     R"("supportedConnectionTypes":["long-polling"],"id":"1"{}}})",
                     more);
}
inline std::string connect(const std::string& client, std::string_view id = "2",
                           std::string_view more = "") {
  return fmt::format(R"({{"channel":"/meta/connect","clientId":"{}",)"
                     R"("connectionType":"long-polling","id":"{}"{}}})",
                     client, id, more);
}
/// `channels` is JSON: a string or an array.
inline std::string subscribe(const std::string& client, std::string_view channels,
                             std::string_view id = "3") {
  return fmt::format(
      R"({{"channel":"/meta/subscribe","clientId":"{}","subscription":{},"id":"{}"}})", client,
      channels, id);
}
inline std::string unsubscribe(const std::string& client, std::string_view channels,
                               std::string_view id = "4") {
  return fmt::format(
      R"({{"channel":"/meta/unsubscribe","clientId":"{}","subscription":{},"id":"{}"}})", client,
      channels, id);
}
inline std::string disconnect(const std::string& client, std::string_view id = "9") {
  return fmt::format(R"({{"channel":"/meta/disconnect","clientId":"{}","id":"{}"}})", client, id);
}
/// To be answered at once.
inline constexpr std::string_view kNow = R"(,"advice":{"timeout":0})";

/// One service, or one on each of several workers whose mail is carried by hand (office_). Nothing
/// moves by itself: turns end and time passes when the test says so.
class ServiceFixture : public ::testing::Test {
 protected:
  explicit ServiceFixture(std::size_t workers = 1, const core::ExchangeLimits& limits = {})
      : office_(workers, limits) {
    for (std::size_t i = 0; i < workers; ++i) {
      services_.push_back(
          std::make_unique<Service>(office_[i], office_.wheel, office_.clock, ServiceLimits{}));
    }
    use({});
  }

  Service& service(std::size_t worker = 0) { return *services_[worker]; }

  /// The realm of all that follows.
  void use(core::Realm realm) {
    realm.id = core::RealmId("site");
    realm_ = std::make_shared<const core::Realm>(std::move(realm));
  }

  void handle(std::string_view text, Caller& caller, std::size_t worker = 0) {
    // As a loop does: what begins when a turn has had enough work begins in the next.
    if (service(worker).turn().is_over()) office_.end_turns(worker);
    service(worker).turn().begin_slice();
    const auto messages = service(worker).parse(*realm_, text);
    ASSERT_TRUE(messages) << messages.error().detail << " in " << text;
    service(worker).handle(realm_, *messages, &caller);
  }
  /// Sends one message or an array in a request of its own.
  CallPtr post(std::string_view text, std::size_t worker = 0) {
    CallPtr call(new FakeCall);
    handle(text, *call, worker);
    return call;
  }
  /// Sends it down a socket, in one frame.
  void send(FakeSocket& socket, std::string_view text, std::size_t worker = 0) {
    handle(text, socket, worker);
  }

  static std::string client_id_in(std::string_view elements) {
    const std::string array = "[" + std::string(elements) + "]";
    std::string id;
    wire::json::validate(array)->for_each_element([&id](const wire::json::Value& element) {
      if (const auto given = element.find("clientId")) id = given->as_string();
    });
    return id;
  }
  /// A session that has not connected yet.
  std::string new_session(std::size_t worker = 0) {
    return client_id_in(post(handshake(), worker)->text);
  }
  /// A session that has connected once.
  std::string connected_session(std::size_t worker = 0) {
    const std::string client = new_session(worker);
    post(connect(client), worker);
    return client;
  }
  /// A session that has connected once and listens to `channels` (JSON).
  std::string listening_session(std::string_view channels = R"("/a")", std::size_t worker = 0) {
    const std::string client = connected_session(worker);
    post(subscribe(client, channels), worker);
    office_.carry_all();
    return client;
  }
  Session* find(const std::string& client, std::size_t worker = 0) {
    const auto id = SessionId::parse(client);
    return id ? service(worker).find(*realm_, *id) : nullptr;
  }
  /// The peer says, by its silence or its next request, that an answer did not arrive.
  void lose(const FakeCall& call) {
    if (!call.delivered.bundle) return;
    if (Session* const session = service().find(*realm_, call.delivered.session)) {
      session->requeue(call.delivered.bundle);
    }
  }

  void publish(std::string_view channel, const std::string& data, std::size_t worker = 0) {
    std::vector<core::PublishItem> items(1);
    items[0].publication = core::publication(channel, data);
    office_[worker].publish(realm_, std::move(items), [] {});
  }
  /// Ends turns of all workers until nothing asks for another.
  void end_turn() {
    for (std::size_t i = 0; i < services_.size(); ++i) office_.end_turns(i);
  }
  /// Publishes in a turn of its own.
  void publish_now(std::string_view channel, const std::string& data) {
    publish(channel, data);
    end_turn();
  }
  void advance(base::Duration by) {
    office_.clock.advance(by);
    office_.wheel.advance(office_.clock.now());
    end_turn();
  }

  core::RealmPtr realm_;
  core::Office office_;
  std::vector<std::unique_ptr<Service>> services_;
};

}  // namespace fanfare::protocol::bayeux
