#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/base64.hpp"
#include "server/server.hpp"
#include "support/client_socket.hpp"
#include "wire/json/json.hpp"
#include "wire/websocket/frame.hpp"

namespace fanfare::server {

inline constexpr std::string_view kKey = "MDEyMzQ1Njc4OWFiY2RlZg==";

inline Config config(std::size_t workers) {
  Config config;
  config.listen = {{"127.0.0.1", 0}};
  config.workers = workers;
  return config;
}

inline core::Realm realm(const char* id) {
  core::Realm realm;
  realm.id = core::RealmId(id);
  realm.keys = {*core::parse_realm_key(kKey)};
  realm.client_publish = true;
  // Polls return soon, so that their threads look up.
  realm.bayeux.connect_timeout = std::chrono::milliseconds(2000);
  return realm;
}

/// A server that runs in a thread of its own until this is destroyed.
class RunningServer {
 public:
  explicit RunningServer(std::size_t workers, std::vector<core::Realm> realms = {realm("site")})
      : RunningServer(config(workers), std::move(realms)) {}
  RunningServer(Config with, std::vector<core::Realm> realms) {
    auto started = Server::start(std::move(with), std::move(realms));
    if (!started) throw std::runtime_error(started.error().detail);
    server_ = std::move(*started);
    thread_ = std::thread([this] { server_->run(); });
  }
  ~RunningServer() { stop(); }
  RunningServer(const RunningServer&) = delete;
  RunningServer& operator=(const RunningServer&) = delete;

  /// `place` counts the addresses of `listen`.
  [[nodiscard]] std::uint16_t port(std::size_t place = 0) const {
    const std::string& address = server_->addresses().at(place);
    return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  }
  void stop() {
    if (!thread_.joinable()) return;
    server_->stop();
    thread_.join();
  }

 private:
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

/// Publishes over one connection, answer by answer.
class Publisher {
 public:
  explicit Publisher(std::uint16_t port) : socket_(ClientSocket::connect_to(port)) {}

  /// Whether the server has said that it took it.
  bool publish(std::string_view channel, const std::string& data) {
    const std::string body =
        fmt::format(R"({{"items":[{{"channel":"{}","json-object":{}}}]}})", channel, data);
    socket_.send(post_request("/realm/site/publish/", body,
                              fmt::format("Authorization: Basic {}\r\n",
                                          base::encode_base64(fmt::format("site:{}", kKey)))));
    return socket_.receive_answer().status() == 200;
  }

 private:
  ClientSocket socket_;
};

/// What one client got: the data of each delivery, by channel, in order.
class Inbox {
 public:
  void take(std::string_view array) {
    const auto parsed = wire::json::validate(array);
    if (!parsed) return;
    parsed->for_each_element([this](const wire::json::Value& element) {
      if (const auto data = element.find("data")) {
        by_channel[element.find("channel")->as_string()].emplace_back(data->raw());
        ++count;
      }
    });
  }

  std::map<std::string, std::vector<std::string>> by_channel;
  std::size_t count = 0;
};

inline std::string client_id_in(std::string_view array) {
  std::string id;
  if (const auto parsed = wire::json::validate(array)) {
    parsed->for_each_element([&id](const wire::json::Value& element) {
      if (const auto given = element.find("clientId")) id = given->as_string();
    });
  }
  return id;
}

inline constexpr std::string_view kHandshake =
    R"([{"channel":"/meta/handshake","version":"1.0","supportedConnectionTypes":["long-polling"]}])";

inline std::string connect(const std::string& client, std::string_view more = "") {
  return fmt::format(
      R"([{{"channel":"/meta/connect","clientId":"{}","connectionType":"long-polling"{}}}])",
      client, more);
}
inline std::string subscribe(const std::string& client, std::string_view channels) {
  return fmt::format(R"([{{"channel":"/meta/subscribe","clientId":"{}","subscription":{}}}])",
                     client, channels);
}

/// A client that polls, each request on a new connection if `restless`: the kernel then spreads
/// them over the workers, and most have to move.
class PollingClient {
 public:
  PollingClient(std::uint16_t port, bool is_restless) : port_(port), is_restless_(is_restless) {
    id = client_id_in(call(kHandshake));
    call(connect(id));
  }

  std::string call(std::string_view messages) {
    if (is_restless_ || !socket_.is_open()) socket_ = ClientSocket::connect_to(port_);
    socket_.send(post_request("/bayeux", messages));
    std::string body = socket_.receive_answer().body;
    inbox.take(body);
    return body;
  }

  std::string id;
  Inbox inbox;

 private:
  std::uint16_t port_;
  bool is_restless_;
  ClientSocket socket_;
};

/// A client's end of a WebSocket, without masking secrets: every key is zero.
class WebSocketClient {
 public:
  /// `more` is header lines of the upgrade.
  explicit WebSocketClient(const RunningServer& server, std::string_view more = "")
      : socket_(ClientSocket::connect_to(server.port())) {
    socket_.send(std::string("GET /bayeux HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                             "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                             "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n")
                     .append(more)
                     .append("\r\n"));
    is_open = socket_.receive_through("\r\n\r\n").starts_with("HTTP/1.1 101 ");
  }

  void send(std::string_view text) {
    char header[wire::websocket::kServerHeaderBytesMax];
    const std::size_t size =
        wire::websocket::write_header(header, wire::websocket::Opcode::text, text.size());
    std::string frame(header, size);
    frame[1] = static_cast<char>(frame[1] | 0x80);
    socket_.send(frame.append(4, '\0').append(text));
  }
  /// The payload of the next text frame; empty at the end, whose close code is then known.
  std::string receive() {
    for (;;) {
      const std::string start = socket_.receive_exactly(2);
      if (start.size() < 2) return {};
      std::size_t length = static_cast<unsigned char>(start[1]);
      const std::size_t extra = length == 126 ? 2 : length == 127 ? 8 : 0;
      if (extra > 0) length = 0;
      for (const char byte : socket_.receive_exactly(extra)) {
        length = length * 256 + static_cast<unsigned char>(byte);
      }
      std::string payload = socket_.receive_exactly(length);
      const int opcode = start[0] & 0x0f;
      if (opcode == 1) {
        inbox.take(payload);
        return payload;
      }
      if (opcode == 8) {
        if (payload.size() >= 2) {
          close_code =
              static_cast<unsigned char>(payload[0]) * 256 + static_cast<unsigned char>(payload[1]);
        }
        return {};
      }
    }
  }
  /// Sends, and reads until the answer to it has come (its channel), deliveries aside.
  std::string call(std::string_view messages, std::string_view answer_channel) {
    send(messages);
    for (std::string text = receive(); !text.empty(); text = receive()) {
      if (text.find(answer_channel) != std::string::npos) return text;
    }
    return {};
  }

  [[nodiscard]] ClientSocket& socket() { return socket_; }

  bool is_open = false;
  int close_code = 0;
  Inbox inbox;

 private:
  ClientSocket socket_;
};

inline std::ptrdiff_t open_descriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

/// The worker on which a session lives.
inline std::string worker_of(const std::string& client_id) {
  return client_id.substr(0, 2);
}

}  // namespace fanfare::server
