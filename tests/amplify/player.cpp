#include "amplify/player.hpp"

#include <algorithm>
#include <poll.h>
#include <string_view>
#include <thread>

#include <fmt/format.h>

#include "amplify/messages.hpp"
#include "wire/websocket/client_frame.hpp"

namespace fanfare::amplify {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using wire::websocket::client_frame;
using wire::websocket::Opcode;

// A server that takes nothing for that long has decided so.
constexpr milliseconds kPatience{500};
// For its answers: a worker that stands still is what we are after.
constexpr milliseconds kAnswerPatience{10'000};
constexpr milliseconds kSettleMax{15'000};
// At rest is who uses less than a tenth of a processor, twice.
constexpr milliseconds kRestWindow{40};
constexpr nanoseconds kRestCpu{4'000'000};
constexpr std::size_t kHandshakesAhead = 64;
// session_subscriptions_max of the default configuration.
constexpr std::uint64_t kSubscriptionsMax = 1'000;
// The background's address is 127.0.0.1; attackers come from those above.
constexpr std::size_t kFirstAddress = 2;

std::string path_of(std::string_view realm) {
  return fmt::format("/r/{}/bayeux", realm);
}

std::size_t occurrences(std::string_view text, std::string_view what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1))
    ++count;
  return count;
}

std::vector<std::string> client_ids_in(std::string_view text) {
  constexpr std::string_view kField = "\"clientId\":\"";
  std::vector<std::string> ids;
  for (std::size_t at = text.find(kField); at != std::string_view::npos;
       at = text.find(kField, at)) {
    at += kField.size();
    ids.emplace_back(text.substr(at, text.find('"', at) - at));
  }
  return ids;
}

std::string site_data(std::string_view kind, std::size_t size, std::size_t number) {
  if (kind == "text") return std::string(size, 't');  // compresses a thousandfold
  std::string data;
  // Words that differ: compresses as prose does.
  for (std::size_t i = 0; data.size() < size; ++i)
    data += fmt::format("word{} ", (i * 7919 + number) % 977);
  data.resize(size);
  return data;
}

}  // namespace

Player::Player(Target target) : target_(std::move(target)), packing_(spent_) {}

void Player::play(const Script& script, const std::function<bool()>& is_over) {
  is_over_ = is_over;
  for (const Step& each : script.steps) {
    if (is_over_()) return;
    step(each);
  }
}

void Player::leave() {
  sockets_.clear();
  sessions_.clear();
  helpers_.clear();
  made_.clear();
}

bool Player::has_all_sockets() const {
  const auto is_open = [](const Socket& socket) { return socket.peer->is_open(); };
  return !sockets_.empty() && std::ranges::all_of(sockets_, [&](const auto& group) {
    return std::ranges::all_of(group.second, is_open);
  });
}

void Player::step(const Step& step) {
  if (step.verb == "open") return open(step);
  if (step.verb == "handshake") return handshake(step);
  if (step.verb == "send") return send(step);
  if (step.verb == "raw") return raw(step);
  if (step.verb == "get") return get(step);
  if (step.verb == "stream") return stream(step);
  if (step.verb == "publish") return publish(step);
  if (step.verb == "close") return close(step);
  if (step.verb == "wait") {
    const auto end = Clock::now() + milliseconds(step.number("ms", 100));
    return pump(milliseconds(step.number("ms", 100)), [&] { return Clock::now() >= end; });
  }
  if (step.verb == "settle") return settle();
  if (step.verb == "stay") {
    stays_ = true;
    return;
  }
  for (const Socket& socket : sockets_of(step)) socket.peer->reads = step.verb == "read";
}

std::vector<Player::Socket>& Player::sockets_of(const Step& step) {
  return sockets_[std::string(step.text("sockets", "a"))];
}

std::vector<Player::Session>& Player::sessions_of(const Step& step) {
  return sessions_[std::string(step.text("sessions", "s"))];
}

void Player::open(const Step& step) {
  const std::string_view as = step.text("as", "websocket");
  const auto kind = as == "http"      ? Peer::Kind::http
                    : as == "deflate" ? Peer::Kind::deflate
                                      : Peer::Kind::websocket;
  const std::string realm(step.text("realm", "loud"));
  const std::size_t addresses = std::clamp<std::size_t>(step.number("addresses", 1), 1, 250);
  auto& sockets = sockets_of(step);
  for (std::size_t i = 0; i < step.number("count", 1); ++i) {
    auto peer = std::make_unique<Peer>(spent_, target_.port, kind, kFirstAddress + i % addresses,
                                       step.text("reads", "yes") == "yes");
    if (kind != Peer::Kind::http) {
      peer->write(upgrade_bytes(path_of(realm), kind == Peer::Kind::deflate));
    }
    sockets.push_back({std::move(peer), realm, false});
  }
  write_all();
}

void Player::handshake(const Step& step) {
  const std::size_t count = step.number("count", 1);
  const std::string path = path_of(step.text("realm", "loud"));
  Step message;
  message.set("what", "handshake");
  if (step.has("ack")) message.set("ack", std::string(step.text("ack")));
  const std::string request =
      post_bytes(path, "application/json", '[' + make_message(message, 0, {}) + ']');
  auto& peer = helpers_.emplace_back(std::make_unique<Peer>(
      spent_, target_.port, Peer::Kind::http, kFirstAddress + step.number("address", 0), true));
  auto& sessions = sessions_of(step);
  peer->keep_input(true);
  for (std::size_t asked = 0; asked < count && peer->is_open();) {
    const std::size_t now = std::min(kHandshakesAhead, count - asked);
    for (std::size_t i = 0; i < now; ++i) peer->write(request);
    peer->input().clear();
    pump(kAnswerPatience,
         [&] { return occurrences(peer->input(), "\"successful\":") >= now || !peer->is_open(); });
    asked += now;
    for (std::string& id : client_ids_in(peer->input())) {
      sessions.push_back({std::move(id), std::string(step.text("realm", "loud"))});
      ++spent_.sessions;
    }
  }
  helpers_.pop_back();
}

void Player::send(const Step& step) {
  auto& sockets = sockets_of(step);
  for (std::size_t i = 0; i < sockets.size(); ++i) {
    if (!sockets[i].peer->is_open()) continue;
    if (target_.is_repeated) {
      std::string& made = made_[{&step, i}];
      if (made.empty()) made = make_bytes(step, i);
      sockets[i].peer->write(made);
    } else {
      sockets[i].peer->write(make_bytes(step, i));
    }
    sockets[i].peer->flush();
  }
  write_all();
}

std::string Player::make_bytes(const Step& step, std::size_t socket) {
  const Socket& to = sockets_of(step)[socket];
  std::string bytes;
  for (std::size_t frame = 0; frame < step.number("times", 1); ++frame) {
    bytes += packing_.pack(step, to.peer->kind(), path_of(to.realm),
                           make_text(step, sessions_of(step), socket, frame));
  }
  return bytes;
}

std::string Player::make_text(const Step& step, std::vector<Session>& sessions, std::size_t socket,
                              std::size_t frame) {
  const std::size_t messages = step.number("messages", 1);
  const std::string_view spread = step.text("spread", "socket");
  std::string text;
  for (std::size_t i = 0; i < messages; ++i) {
    const std::size_t index = frame * messages + i;
    const std::size_t turn = spread == "message" ? index : spread == "frame" ? frame : 0;
    Session nobody{"nobody", "nowhere"};
    Session& session = sessions.empty() ? nobody : sessions[(socket + turn) % sessions.size()];
    if (i > 0) text += ',';
    text += make_message(step, index, session.client_id);
    count(step, session, index);
  }
  const bool is_array = messages > 1 || step.text("array", "yes") == "yes";
  return is_array ? '[' + text + ']' : text;
}

/// What the message may fairly cost, and leave behind.
void Player::count(const Step& step, Session& session, std::size_t index) {
  const std::string_view kind = kind_of(step, index);
  const std::size_t channel = step.number("at", 0) + index * step.number("shift", 0);
  if (kind == "handshake") ++spent_.sessions;
  if (is_publish(kind)) count_publication(session.realm, channel, step.number("size", 16));
  if (kind != "subscribe") return;
  const std::string_view spelling = step.text("name");
  if (spelling == "all" || spelling.starts_with("star")) session.has_patterns = true;
  const std::uint64_t now =
      std::min<std::uint64_t>(channel + step.number("names", 1), kSubscriptionsMax);
  if (now <= session.subscriptions) return;
  spent_.subscriptions += now - session.subscriptions;
  session.subscriptions = now;
}

void Player::count_publication(std::string_view realm, std::size_t channel, std::size_t bytes) {
  ++spent_.publications;
  spent_.published_bytes += bytes;
  for (const auto& [name, group] : sessions_) {
    spent_.deliveries +=
        static_cast<std::uint64_t>(std::ranges::count_if(group, [&](const Session& each) {
          return each.realm == realm && (each.has_patterns || each.subscriptions > channel);
        }));
  }
}

void Player::raw(const Step& step) {
  for (Socket& socket : sockets_of(step)) {
    socket.is_in_a_frame = socket.is_in_a_frame || step.text("what") == "half-frame";
    for (std::size_t i = 0; i < step.number("times", 1); ++i) {
      socket.peer->write(packing_.raw(step, socket.peer->kind(), path_of(socket.realm)));
    }
    socket.peer->flush();
  }
  write_all();
}

void Player::get(const Step& step) {
  std::string requests;
  for (std::size_t i = 0; i < step.number("times", 1); ++i) {
    requests += get_bytes(step.text("path", "/bayeux.js"));
  }
  for (const Socket& socket : sockets_of(step)) {
    socket.peer->write(requests);
    socket.peer->flush();
  }
  write_all();
}

void Player::stream(const Step& step) {
  const auto& sessions = sessions_of(step);
  auto& sockets = sockets_of(step);
  for (std::size_t i = 0; i < sockets.size() && !sessions.empty(); ++i) {
    sockets[i].peer->write(
        get_bytes(path_of(sockets[i].realm) + '/' + sessions[i % sessions.size()].client_id,
                  "Accept: text/event-stream\r\n"));
  }
  write_all();
}

/// The site's own server: what it publishes is no attack, but it gives an attack its leverage.
void Player::publish(const Step& step) {
  const std::string realm(step.text("realm", "loud"));
  const std::string path = fmt::format("/realm/{}/publish/", realm);
  const std::string headers = fmt::format("Authorization: Bearer {}\r\n", target_.token(realm));
  const std::size_t items = std::max<std::size_t>(1, step.number("items", 1));
  const std::size_t channels = std::max<std::size_t>(1, step.number("channels", 1));
  const std::size_t size = step.number("size", 16);
  const std::string_view previous = step.text("previous", "none");
  auto& peer = helpers_.emplace_back(
      std::make_unique<Peer>(site_, target_.port, Peer::Kind::http, kFirstAddress, true));
  peer->keep_input(true);
  for (std::size_t i = 0; i < step.number("times", 1) && peer->is_open(); ++i) {
    std::string list;
    for (std::size_t j = 0; j < items; ++j) {
      const std::size_t number = ++publications_;
      list += fmt::format("{}{{\"channel\":\"n{}\"", j == 0 ? "" : ",", number % channels);
      if (step.text("ids") == "yes") list += fmt::format(",\"id\":\"p{}\"", number);
      if (previous == "last") list += fmt::format(",\"prev-id\":\"p{}\"", number - 1);
      if (previous == "missing") list += fmt::format(",\"prev-id\":\"q{}\"", number);
      list += fmt::format(",\"json-object\":\"{}\"}}",
                          site_data(step.text("data", "words"), size, number));
      count_publication(realm, number % channels, size);
    }
    peer->write(
        post_bytes(path, "application/json", fmt::format("{{\"items\":[{}]}}", list), headers));
    peer->input().clear();
    pump(kAnswerPatience,
         [&] { return peer->input().find("HTTP/1.1 ") != std::string::npos || !peer->is_open(); });
    if (refusal_.empty() && !peer->input().starts_with("HTTP/1.1 200")) refusal_ = peer->input();
  }
  helpers_.pop_back();
}

void Player::close(const Step& step) {
  const std::string_view how = step.text("how", "fin");
  for (const Socket& socket : sockets_of(step)) {
    if (how == "half")
      socket.peer->half_close();
    else if (how == "reset")
      socket.peer->reset();
    else
      socket.peer->close();
  }
}

void Player::settle() {
  if (target_.cpu_used)
    wait_until_at_rest();
  else
    wait_for_pongs();
}

void Player::wait_until_at_rest() {
  const auto end = Clock::now() + kSettleMax;
  nanoseconds before = target_.cpu_used();
  for (int calm = 0; calm < 2 && Clock::now() < end && !is_over_();) {
    const auto window_end = Clock::now() + kRestWindow;
    while (Clock::now() < window_end) turn(milliseconds(5));
    const nanoseconds now = target_.cpu_used();
    calm = now - std::exchange(before, now) < kRestCpu ? calm + 1 : 0;
  }
}

void Player::wait_for_pongs() {
  // A pong has the ping's payload, and a server does not mask it.
  constexpr std::string_view kMark = "every thing";
  const std::string ping = client_frame({.opcode = Opcode::ping, .payload = std::string(kMark)});
  std::vector<Peer*> asked;
  for (const auto& [name, group] : sockets_) {
    for (const Socket& socket : group) {
      const bool can_answer = socket.peer->is_open() && socket.peer->reads &&
                              socket.peer->kind() != Peer::Kind::http && !socket.is_in_a_frame;
      if (!can_answer) continue;
      socket.peer->keep_input(true);
      socket.peer->write(ping);
      socket.peer->flush();
      asked.push_back(socket.peer.get());
    }
  }
  pump(kSettleMax, [&] {
    std::erase_if(asked, [&](Peer* peer) {
      const bool is_done = !peer->is_open() || peer->input().find(kMark) != std::string::npos;
      // What was looked at need not be looked at again, but for the beginning of a mark.
      std::string& input = peer->input();
      if (input.size() > kMark.size()) input.erase(0, input.size() - kMark.size());
      if (is_done) peer->keep_input(false);
      return is_done;
    });
    return asked.empty();
  });
}

void Player::write_all() {
  const auto has_unwritten = [](const Socket& socket) { return socket.peer->has_unwritten(); };
  // Half a frame would be the end of an attack that is to go on.
  pump(target_.is_repeated ? kAnswerPatience : kPatience, [&] {
    return std::ranges::none_of(sockets_, [&](const auto& group) {
      return std::ranges::any_of(group.second, has_unwritten);
    });
  });
  // What was not taken by now would come in the middle of something else.
  for (const auto& [name, group] : sockets_) {
    for (const Socket& socket : group) {
      if (socket.peer->has_unwritten()) socket.peer->give_up();
    }
  }
}

void Player::pump(milliseconds at_most, const std::function<bool()>& is_done) {
  auto progressed_at = Clock::now();
  while (!is_done() && !is_over_()) {
    const std::uint64_t written = spent_.wire_bytes + site_.wire_bytes;
    if (turn(milliseconds(2)) || spent_.wire_bytes + site_.wire_bytes != written)
      progressed_at = Clock::now();
    if (Clock::now() - progressed_at > at_most) return;
  }
}

/// One look at all sockets; whether anything was read.
bool Player::turn(milliseconds at_most) {
  std::vector<Peer*> peers;
  std::vector<pollfd> descriptors;
  const auto add = [&](Peer& peer) {
    const int events = (peer.reads ? POLLIN : 0) | (peer.has_unwritten() ? POLLOUT : 0);
    if (!peer.is_open() || events == 0) return;
    peers.push_back(&peer);
    descriptors.push_back({peer.descriptor(), static_cast<short>(events), 0});
  };
  for (const auto& [name, group] : sockets_) {
    for (const Socket& socket : group) add(*socket.peer);
  }
  for (const auto& helper : helpers_) add(*helper);
  const auto timeout = static_cast<int>(at_most.count());
  if (::poll(descriptors.data(), descriptors.size(), timeout) <= 0) return false;
  bool was_read = false;
  for (std::size_t i = 0; i < peers.size(); ++i) {
    if (descriptors[i].revents == 0) continue;
    peers[i]->flush();
    if (peers[i]->reads && (descriptors[i].revents & ~POLLOUT) != 0) {
      was_read = peers[i]->read(scratch_) || was_read;
    }
  }
  return was_read;
}

}  // namespace fanfare::amplify
