#include "faults/script.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <utility>

#include <fmt/format.h>

#include "wire/websocket/client_frame.hpp"
#include "wire/websocket/deflate.hpp"

namespace fanfare::server {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kBriefly = R"(,"advice":{"timeout":50})";
constexpr std::string_view kNow = R"(,"advice":{"timeout":0})";

std::string client_publish(const std::string& client, std::string_view channel) {
  return fmt::format(R"([{{"channel":"{}","data":{{"n":1}},"clientId":"{}","id":"p"}}])", channel,
                     client);
}
std::string verb(std::string_view name, const std::string& client, std::string_view more = "") {
  return fmt::format(R"([{{"channel":"/meta/{}","clientId":"{}"{}}}])", name, client, more);
}

}  // namespace

Config script_config(std::size_t workers) {
  Config made = config(workers);
  made.static_dir = std::filesystem::temp_directory_path() / "fanfare-faults-static";
  std::filesystem::create_directories(*made.static_dir);
  std::ofstream(std::filesystem::path(*made.static_dir) / "own.js") << "// an operator's";
  made.demo = true;
  made.listen.push_back({.host = "127.0.0.1", .port = 0, .proxy_protocol = true});
  made.trusted_proxies = {*base::IpNetwork::parse("127.0.0.1")};
  return made;
}

core::Realm script_realm() {
  core::Realm made = realm("site");
  made.limits.predecessor_wait_max = milliseconds(40);
  return made;
}

void Script::play() {
  publish_in_sequence();
  poll();
  publish_quietly();
  acknowledge();
  websocket();
  publish_quietly();
  compressed_websocket();
  event_stream();
  publish_quietly();
  script_tag();
  files();
  demo();
  publish_quietly();
  sent_ahead();
  much_at_once();
  behind_a_proxy();
  move_between_workers();
  publish_quietly();
  leave_in_the_middle();
  publish_quietly();
  await_timers();
}

void Script::publish_quietly() {
  const int number = next_++;
  if (Publisher(server_.port()).publish("quiet/a", std::to_string(number))) {
    accepted_.push_back(number);
  }
}

void Script::poll() {
  PollingClient client(server_.port(), /*is_restless=*/false);
  client.call(subscribe(client.id, R"(["/poll/a","/poll/*"])"));
  Publisher(server_.port()).publish("poll/a", "1");
  client.call(connect(client.id, kNow));
  client.call(client_publish(client.id, "/poll/b"));
  client.call(verb("unsubscribe", client.id, R"(,"subscription":"/poll/a")"));
  client.call("not JSON");
  client.call(verb("disconnect", client.id));
}

/// CometD's way: what came leaves with the answer to a connect.
void Script::acknowledge() {
  ClientSocket socket = ClientSocket::connect_to(server_.port());
  const auto call = [&socket](std::string_view messages) {
    socket.send(post_request("/bayeux", messages));
    return socket.receive_answer().body;
  };
  const std::string id =
      client_id_in(call(R"([{"channel":"/meta/handshake","version":"1.0","ext":{"ack":true},)"
                        R"("supportedConnectionTypes":["long-polling"]}])"));
  call(connect(id, R"(,"ext":{"ack":0})"));
  call(subscribe(id, R"("/acknowledged")"));
  Publisher(server_.port()).publish("acknowledged", "1");
  call(connect(id, R"(,"ext":{"ack":1},"advice":{"timeout":0})"));
}

void Script::websocket() {
  WebSocketClient socket(server_);
  if (!socket.is_open) return;
  std::vector<std::string> sessions;
  for (int i = 0; i < 3; ++i) {
    sessions.push_back(client_id_in(socket.call(kHandshake, "/meta/handshake")));
    socket.call(connect(sessions.back()), "/meta/connect");
    socket.call(subscribe(sessions.back(), R"(["/socket/a","/socket/**"])"), "/meta/subscribe");
  }
  socket.send(connect(sessions[0]));
  socket.call(client_publish(sessions[1], "/socket/a"), R"("id":"p")");
  Publisher(server_.port()).publish("socket/b", "1");
  socket.call("[]", "[]");
  socket.call(connect(sessions[0], kNow), "/meta/connect");
  socket.call(verb("disconnect", sessions[2]), "/meta/disconnect");
}

void Script::compressed_websocket() {
  WebSocketClient socket(server_, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
  if (!socket.is_open) return;
  const std::string id = client_id_in(socket.call(kHandshake, "/meta/handshake"));
  wire::websocket::Deflater deflater;
  socket.socket().send(wire::websocket::client_frame(
      {.payload = deflater.compress(subscribe(id, R"("/deflated")")), .rsv1 = true}));
  Publisher(server_.port()).publish("deflated", '"' + std::string(400, 'x') + '"');
  socket.call("[]", "[]");
}

void Script::event_stream() {
  PollingClient client(server_.port(), /*is_restless=*/false);
  client.call(subscribe(client.id, R"("/stream")"));
  ClientSocket stream = ClientSocket::connect_to(server_.port());
  stream.send("GET /bayeux/" + client.id +
              " HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n");
  if (stream.receive_through("\r\n\r\n").starts_with("HTTP/1.1 200")) {
    stream.receive_through("retry: 5000");
    client.call(fmt::format(
        R"([{{"channel":"/meta/connect","clientId":"{}","connectionType":"eventsource"}}])",
        client.id));
    Publisher(server_.port()).publish("stream", "1");
  }
  held_.push_back(std::move(stream));
}

void Script::script_tag() {
  const std::string id = client_id_in(
      get("/bayeux?jsonp=f&message=%5B%7B%22channel%22%3A%22%2Fmeta%2Fhandshake%22%2C%22version%22"
          "%3A%221.0%22%2C%22supportedConnectionTypes%22%3A%5B%22callback-polling%22%5D%7D%5D"));
  get("/bayeux?jsonp=f&message=%5B%7B%22channel%22%3A%22%2Fmeta%2Fconnect%22%7D%5D");
}

void Script::files() {
  get("/bayeux/static/client.js");
  get("/bayeux/static/own.js");
  get("/bayeux/static/integrity.json");
  get("/bayeux/static/none.js");
  get("/nothing/here");
  // More than the kernel takes of a peer that does not read, so that the rest waits for it.
  ClientSocket slow = ClientSocket::connect_to(server_.port());
  std::string requests;
  for (int i = 0; i < 30; ++i) requests += "GET /bayeux.js HTTP/1.1\r\nHost: localhost\r\n\r\n";
  slow.send(requests);
  for (int i = 0; i < 30; ++i) {
    if (slow.receive_answer().status() != 200) break;
  }
}

void Script::demo() {
  get("/demo/");
  get("/demo/comments");
  ClientSocket socket = ClientSocket::connect_to(server_.port());
  socket.send(post_request("/demo/comments", R"({"name":"Ada","text":"hello"})"));
  socket.receive_answer();
}

void Script::sent_ahead() {
  // More than are handled in one turn, and cut where the first read ends.
  std::string requests;
  for (int i = 0; i < 40; ++i) requests += "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
  ClientSocket socket = ClientSocket::connect_to(server_.port());
  socket.send(requests.substr(0, 30));
  socket.send(requests.substr(30));
  for (int i = 0; i < 40; ++i) {
    if (socket.receive_answer().status() != 200) break;
  }
  ClientSocket expecting = ClientSocket::connect_to(server_.port());
  expecting.send(
      "POST /bayeux HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
      "Expect: 100-continue\r\n\r\n");
  if (!expecting.receive_through("\r\n\r\n").empty()) {
    expecting.send("[]");
    expecting.receive_answer();
  }
}

/// More than is done in one turn: a request with many names, and a request and a frame that come
/// behind one that waits for all homes.
void Script::much_at_once() {
  PollingClient client(server_.port(), /*is_restless=*/false);
  std::string names = R"("/never/heard")";
  for (int i = 1; i < 100; ++i) names += R"(,"/never/heard")";
  const std::string one = fmt::format(
      R"({{"channel":"/meta/unsubscribe","clientId":"{}","subscription":[{}]}})", client.id, names);
  std::string messages = "[" + one;
  for (int i = 1; i < 12; ++i) messages += "," + one;
  client.call(messages + "]");

  ClientSocket pipeline = ClientSocket::connect_to(server_.port());
  pipeline.send(post_request("/bayeux", subscribe(client.id, R"("/ahead/**")")) +
                "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  if (pipeline.receive_answer().status() == 200) pipeline.receive_answer();

  WebSocketClient socket(server_);
  if (!socket.is_open) return;
  const std::string id = client_id_in(socket.call(kHandshake, "/meta/handshake"));
  using wire::websocket::client_frame;
  socket.socket().send(client_frame({.payload = subscribe(id, R"("/ahead/**")")}) +
                       client_frame({.payload = client_publish(id, "/ahead/a")}));
  socket.call("[]", "[]");
}

void Script::behind_a_proxy() {
  ClientSocket socket = ClientSocket::connect_to(server_.port(1));
  socket.send("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n" +
              post_request("/bayeux", kHandshake));
  socket.receive_answer();
}

void Script::move_between_workers() {
  PollingClient client(server_.port(), /*is_restless=*/true);
  client.call(subscribe(client.id, R"(["/move/a","/move/b","/move/c","/move/**"])"));
  for (const char* name : {"move/a", "move/b", "move/c"}) {
    Publisher(server_.port()).publish(name, "1");
    client.call(connect(client.id, kNow));
  }
  for (int i = 0; i < 4; ++i) {
    WebSocketClient socket(server_);
    if (!socket.is_open) continue;
    socket.send(connect(client.id));
    socket.call(client_publish(client.id, "/move/d"), R"("id":"p")");
  }
}

void Script::publish_in_sequence() {
  ClientSocket socket = ClientSocket::connect_to(server_.port());
  for (const char* item :
       {R"("id":"1","json-object":1)", R"("id":"3","prev-id":"2","json-object":3)",
        R"("id":"5","prev-id":"4","json-object":5)", R"("id":"2","prev-id":"1","json-object":2)"}) {
    socket.send(
        post_request("/realm/site/publish/",
                     fmt::format(R"({{"items":[{{"channel":"quiet/sequence",{}}}]}})", item),
                     fmt::format("Authorization: Basic {}\r\n",
                                 base::encode_base64(fmt::format("site:{}", kKey)))));
    if (socket.receive_answer().status() != 200) return;
  }
}

void Script::leave_in_the_middle() {
  PollingClient client(server_.port(), /*is_restless=*/false);
  client.call(subscribe(client.id, R"("/left")"));
  {
    ClientSocket socket = ClientSocket::connect_to(server_.port());
    socket.send(post_request("/bayeux", connect(client.id)));
    WebSocketClient other(server_);
    if (other.is_open) other.call(connect(client.id, kNow), "/meta/connect");
    if (other.is_open) other.socket().reset();
    socket.reset();
  }
  Publisher(server_.port()).publish("left", "1");
  client.call(connect(client.id, kNow));
}

/// A connect that is held until its time has come; by then, what waits for its predecessor has gone
/// out too.
void Script::await_timers() {
  PollingClient client(server_.port(), /*is_restless=*/false);
  client.call(connect(client.id, kBriefly));
}

std::string Script::get(std::string_view target, std::string_view more) {
  ClientSocket socket = ClientSocket::connect_to(server_.port());
  socket.send(fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\n{}\r\n", target, more));
  return socket.receive_answer().body;
}

}  // namespace fanfare::server
