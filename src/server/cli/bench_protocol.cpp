#include "server/cli/bench_protocol.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "base/check.hpp"
#include "server/cli/bench_publication.hpp"
#include "server/cli/bench_wire.hpp"
#include "wire/jwt/jwt.hpp"

namespace fanfare::server::cli::bench {
namespace {

using wire::websocket::Opcode;

// Servers limit the channels of one subscribe message; ours to 100.
constexpr std::size_t kChannelsPerMessage = 100;
constexpr std::chrono::hours kTokenLife{1};

std::string channel_name(std::size_t channel) {
  return "bench-" + channel_digits(channel);
}

bool holds(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string_view::npos;
       at = text.find(part, at + part.size())) {
    ++found;
  }
  return found;
}

/// What stands between `before` and the next quote; empty if nothing does.
std::string_view quoted_after(std::string_view text, std::string_view before) {
  const auto at = text.find(before);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + before.size());
  return text.substr(0, text.find('"'));
}

Reaction refused(std::string_view what, std::string_view answer) {
  constexpr std::size_t kShown = 200;
  return {.refusal = fmt::format("{}: {}", what, answer.substr(0, kShown))};
}

bool is_upgrade(std::string_view head) {
  return head.substr(0, head.find('\r')).find(" 101") != std::string_view::npos;
}

std::string post(const Place& place, std::string_view path, std::string_view more_headers,
                 std::string_view body) {
  return fmt::format(
      "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n{}"
      "Content-Length: {}\r\n\r\n{}",
      path, place.host_with_port(), more_headers, body.size(), body);
}

/// `channel_in_it` is the name of channel 0 as it stands in the request.
PublishRequest publish_request_of(std::string bytes, std::string_view channel_in_it) {
  PublishRequest request;
  const auto channel = bytes.find(channel_in_it);
  request.mark_at = bytes.find(kMark);
  FANFARE_CHECK(channel != std::string::npos && request.mark_at != std::string::npos);
  request.channel_at = channel + channel_in_it.size() - kChannelDigits;
  request.bytes = std::move(bytes);
  return request;
}

/// Bayeux over WebSocket or long-polling: handshake, subscribe, and a connect that is renewed
/// whenever it is answered.
class Bayeux final : public Dialogue {
 public:
  explicit Bayeux(const Plan& plan)
      : plan_(plan), uses_websocket_(plan.transport == Transport::websocket) {}

  std::string begin(Conversation&) const override {
    const Place& place = plan_.subscribe_at;
    return uses_websocket_ ? upgrade_request(place.host_with_port(), place.path)
                           : encode(handshake());
  }

  Reaction hear(Conversation& conversation, std::string_view head,
                std::string_view body) const override {
    if (uses_websocket_ && conversation.step == kConnecting) {
      if (!is_upgrade(head)) return refused("the upgrade was refused", head);
      conversation.step = kShakingHands;
      return {.send = encode(handshake())};
    }
    if (!uses_websocket_ && !head.starts_with("HTTP/1.1 200")) return refused("refused", head);
    if (conversation.step <= kShakingHands) return shake_hands(conversation, body);
    Reaction reaction;
    if (conversation.step < kSubscribed) hear_subscribed(conversation, body, reaction);
    if (holds(body, R"("/meta/connect")")) hear_connected(conversation, body, reaction);
    return reaction;
  }

  PublishRequest publish_request() const override {
    if (plan_.protocol == Protocol::bayeux) {
      const auto body = fmt::format(R"([{{"channel":"/{}","data":{},"id":"1"}}])",
                                    published_name(0), blank_payload(plan_.payload_bytes));
      return publish_request_of(post(plan_.publish_at, plan_.publish_at.path, "", body),
                                channel_name(0));
    }
    const auto expires = std::chrono::system_clock::now() + kTokenLife;
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(expires.time_since_epoch()).count();
    const auto& [realm, key] = *plan_.credentials;
    const auto path = fmt::format("/realm/{}/publish/", realm.value());
    const auto authorization = fmt::format(
        "Authorization: Bearer {}\r\n", wire::jwt::sign_hs256(realm.value(), seconds, key.bytes));
    const auto body = fmt::format(R"({{"items":[{{"channel":"{}","json-object":{}}}]}})",
                                  published_name(0), blank_payload(plan_.payload_bytes));
    return publish_request_of(post(plan_.publish_at, path, authorization, body), channel_name(0));
  }

 private:
  // Steps of a conversation; from kSubscribing on, they count the subscribe messages answered.
  static constexpr int kConnecting = 0;
  static constexpr int kShakingHands = 1;
  static constexpr int kSubscribing = 2;
  static constexpr int kSubscribed = 1'000'000;

  [[nodiscard]] std::string_view connection_type() const {
    return uses_websocket_ ? "websocket" : "long-polling";
  }

  [[nodiscard]] std::string handshake() const {
    return fmt::format(
        R"([{{"channel":"/meta/handshake","version":"1.0","supportedConnectionTypes":["{}"],"id":"1"}}])",
        connection_type());
  }

  [[nodiscard]] std::string encode(std::string_view messages) const {
    return uses_websocket_ ? client_frame(Opcode::text, messages)
                           : post(plan_.subscribe_at, plan_.subscribe_at.path, "", messages);
  }

  Reaction shake_hands(Conversation& conversation, std::string_view body) const {
    const auto id = quoted_after(body, R"("clientId":")");
    if (id.empty()) return refused("the handshake was refused", body);
    conversation.step = kSubscribing;
    // Other headers and frames of the same client differ in nothing but this.
    conversation.refrain = encode(fmt::format(
        R"([{{"channel":"/meta/connect","clientId":"{}","connectionType":"{}","id":"3"}}])", id,
        connection_type()));
    std::string messages = encode(subscribe(id, conversation.channels));
    // Faye delivers to a WebSocket only after a connect has come over it.
    if (uses_websocket_) messages += conversation.refrain;
    return {.send = std::move(messages)};
  }

  [[nodiscard]] std::string published_name(std::size_t channel) const {
    return channel_name(channel) + (plan_.patterns ? "/x" : "");
  }
  [[nodiscard]] std::string subscribed_name(std::size_t channel) const {
    return plan_.patterns && channel % 2 == 1 ? channel_name(channel) + "/*"
                                              : published_name(channel);
  }

  [[nodiscard]] std::string subscribe(std::string_view id,
                                      const std::vector<std::size_t>& channels) const {
    std::string text;
    for (std::size_t i = 0; i < channels.size(); ++i) {
      const bool is_first = i % kChannelsPerMessage == 0;
      if (is_first) {
        text += text.empty() ? "[" : "]},";
        text += fmt::format(
            R"({{"channel":"/meta/subscribe","clientId":"{}","id":"2","subscription":[)", id);
      }
      text += fmt::format(R"({}"/{}")", is_first ? "" : ",", subscribed_name(channels[i]));
    }
    return text + "]}]";
  }

  void hear_subscribed(Conversation& conversation, std::string_view body,
                       Reaction& reaction) const {
    const std::size_t replies = count(body, R"("/meta/subscribe")");
    if (replies == 0) return;
    if (holds(body, R"("successful":false)")) {
      reaction = refused("the subscription was refused", body);
      return;
    }
    conversation.step += static_cast<int>(replies);
    const std::size_t all =
        (conversation.channels.size() + kChannelsPerMessage - 1) / kChannelsPerMessage;
    if (conversation.step < kSubscribing + static_cast<int>(all)) return;
    conversation.step = kSubscribed;
    reaction.is_subscribed = true;
    if (!uses_websocket_) reaction.send = conversation.refrain;
  }

  static void hear_connected(const Conversation& conversation, std::string_view body,
                             Reaction& reaction) {
    if (holds(body, R"("successful":false)")) {
      reaction = refused("the connect was refused", body);
    } else {
      reaction.send += conversation.refrain;
    }
  }

  const Plan& plan_;
  bool uses_websocket_;
};

/// A URL for each channel, and messages without anything around them. With long-polling each
/// request says after which message it wants the next (nchan's use of Last-Modified and Etag).
class Plain final : public Dialogue {
 public:
  explicit Plain(const Plan& plan)
      : plan_(plan), uses_websocket_(plan.transport == Transport::websocket) {}

  std::string begin(Conversation& conversation) const override {
    const Place& place = plan_.subscribe_at;
    const auto path = place.path + "/sub/" + channel_name(conversation.channels.front());
    return uses_websocket_ ? upgrade_request(place.host_with_port(), path)
                           : poll(conversation, "", "");
  }

  Reaction hear(Conversation& conversation, std::string_view head,
                std::string_view) const override {
    if (uses_websocket_) {
      if (conversation.step++ > 0) return {};
      if (!is_upgrade(head)) return refused("the upgrade was refused", head);
      return {.is_subscribed = true};
    }
    if (!head.starts_with("HTTP/1.1 200") && !head.starts_with("HTTP/1.1 304")) {
      return refused("refused", head);
    }
    return {.send = poll(conversation, header_of(head, "last-modified"), header_of(head, "etag"))};
  }

  bool subscribes_by_asking() const override { return !uses_websocket_; }

  PublishRequest publish_request() const override {
    const auto path = plan_.publish_at.path + "/pub/" + channel_name(0);
    return publish_request_of(post(plan_.publish_at, path, "", blank_payload(plan_.payload_bytes)),
                              channel_name(0));
  }

 private:
  [[nodiscard]] std::string poll(const Conversation& conversation, std::string_view time,
                                 std::string_view tag) const {
    const Place& place = plan_.subscribe_at;
    std::string after;
    if (!time.empty()) {
      after = fmt::format("If-Modified-Since: {}\r\nIf-None-Match: {}\r\n", time, tag);
    }
    return fmt::format("GET {}/sub/{} HTTP/1.1\r\nHost: {}\r\n{}\r\n", place.path,
                       channel_name(conversation.channels.front()), place.host_with_port(), after);
  }

  const Plan& plan_;
  bool uses_websocket_;
};

/// https://docs.nats.io/reference/reference-protocols/nats-protocol
class Nats final : public Dialogue {
 public:
  explicit Nats(const Plan& plan) : plan_(plan) {}

  std::string begin(Conversation&) const override {
    return upgrade_request(plan_.subscribe_at.host_with_port(), plan_.subscribe_at.path + "/");
  }

  Reaction hear(Conversation& conversation, std::string_view head,
                std::string_view body) const override {
    Reaction reaction;
    if (conversation.step == 0) {
      if (!is_upgrade(head)) return refused("the upgrade was refused", head);
      std::string lines(kConnect);
      for (std::size_t i = 0; i < conversation.channels.size(); ++i) {
        lines += fmt::format("SUB {} {}\r\n", channel_name(conversation.channels[i]), i + 1);
      }
      conversation.step = 1;
      reaction.send = client_frame(Opcode::binary, lines + "PING\r\n");
    } else if (body.starts_with("-ERR")) {
      return refused("refused", body);
    } else if (holds(body, "PING\r\n")) {
      reaction.send = client_frame(Opcode::binary, "PONG\r\n");
    } else if (conversation.step == 1 && holds(body, "PONG\r\n")) {
      conversation.step = 2;
      reaction.is_subscribed = true;
    }
    return reaction;
  }

  // The PING makes an answer, which a PUB does not have.
  PublishRequest publish_request() const override {
    return publish_request_of(fmt::format("PUB {} {}\r\n{}\r\nPING\r\n", channel_name(0),
                                          plan_.payload_bytes, blank_payload(plan_.payload_bytes)),
                              channel_name(0));
  }
  std::string publisher_greeting() const override { return std::string(kConnect); }
  bool answers_in_http() const override { return false; }

 private:
  static constexpr std::string_view kConnect =
      "CONNECT {\"verbose\":false,\"pedantic\":false,\"echo\":true}\r\n";

  const Plan& plan_;
};

/// Engine.IO 4 over WebSocket: https://socket.io/docs/v4/engine-io-protocol/
class SocketIo final : public Dialogue {
 public:
  explicit SocketIo(const Plan& plan) : plan_(plan) {}

  std::string begin(Conversation&) const override {
    return upgrade_request(plan_.subscribe_at.host_with_port(),
                           plan_.subscribe_at.path + "/socket.io/?EIO=4&transport=websocket");
  }

  Reaction hear(Conversation& conversation, std::string_view head,
                std::string_view body) const override {
    if (conversation.step == 0) {
      if (!is_upgrade(head)) return refused("the upgrade was refused", head);
      conversation.step = 1;
      return {};
    }
    if (body.starts_with("0{")) return {.send = text("40")};
    if (body == "2") return {.send = text("3")};
    if (body.starts_with("40")) {
      return {.send = text(
                  fmt::format(R"(420["join","{}"])", channel_name(conversation.channels.front())))};
    }
    if (body.starts_with("430")) return {.is_subscribed = true};
    if (body.starts_with("44")) return refused("refused", body);
    return {};
  }

  PublishRequest publish_request() const override {
    const auto path = plan_.publish_at.path + "/pub/" + channel_name(0);
    return publish_request_of(post(plan_.publish_at, path, "", blank_payload(plan_.payload_bytes)),
                              channel_name(0));
  }

 private:
  static std::string text(std::string_view packet) { return client_frame(Opcode::text, packet); }

  const Plan& plan_;
};

}  // namespace

std::string channel_digits(std::size_t channel) {
  return fmt::format("{:0{}}", channel, kChannelDigits);
}

std::unique_ptr<Dialogue> make_dialogue(const Plan& plan) {
  switch (plan.protocol) {
    case Protocol::fanfare:
    case Protocol::bayeux:
      return std::make_unique<Bayeux>(plan);
    case Protocol::plain:
      return std::make_unique<Plain>(plan);
    case Protocol::nats:
      return std::make_unique<Nats>(plan);
    case Protocol::socketio:
      return std::make_unique<SocketIo>(plan);
  }
  FANFARE_CHECK(false);
  return nullptr;
}

}  // namespace fanfare::server::cli::bench
