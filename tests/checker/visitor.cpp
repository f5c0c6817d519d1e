#include "checker/visitor.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "wire/websocket/frame.hpp"

namespace fanfare::checker {
namespace {

using wire::json::Value;

constexpr milliseconds kPatience{10'000};
// What a stream has for what is due on it: most of a second is a busy machine's.
constexpr milliseconds kStreamTime{3'000};
// A request that was cut off may still travel from one worker to another. Until it must have
// arrived, nothing is concluded from what a later request brings.
constexpr milliseconds kTravelTime{1'000};
// The server looks at its timers every 50 ms, and a busy machine now and then.
constexpr milliseconds kTimerSlack{1'500};
// One answer carries at most 512 KiB; what is close to that may have left something behind.
constexpr std::size_t kWholeAnswerBytesMax = 400'000;
constexpr int kSmallBuffer = 4'096;

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool is_plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (is_plain)
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string joined(const std::vector<std::string>& messages) {
  return fmt::format("[{}]", fmt::join(messages, ","));
}

std::string text_of(const Value& object, std::string_view key) {
  const auto field = object.find(key);
  return field ? field->as_string() : std::string();
}

}  // namespace

Visitor::Visitor(World& world, std::uint64_t seed, Kind kind)
    : world_(world), random_(seed), kind_(kind), next_step_(world.now) {}

void Visitor::trace(std::string line) {
  if (session_)
    session_->trace(std::move(line));
  else
    early_trace_.push_back(std::move(line));
}

std::string Visitor::trace_text() const {
  std::string text;
  if (session_) return session_->trace_text();
  for (const std::string& line : early_trace_) text += "  " + line + '\n';
  return text;
}

void Visitor::fail(const std::string& what) const {
  throw Violation(what);
}

// ---- What there is to do.

void Visitor::step() {
  for (const LinkPtr& link : links_) link->connection->flush();
  const bool is_in_touch = std::ranges::any_of(links_, [](const LinkPtr& link) {
    return !link->asks.empty() || (is_stream(*link) && !link->is_leaving);
  });
  if (is_in_touch) sign_at_most_ = world_.now;
  if (stream() && has_asked(Role::poll)) rival_at_ = tangled_at_ = world_.now;
  if (is_ending_) {
    const bool is_waiting = std::ranges::any_of(
        links_, [](const LinkPtr& link) { return !link->asks.empty() && !link->is_leaving; });
    if (!is_waiting) end_session();
    return;
  }
  if (kind_ == Kind::witness && !session_) {
    if (links_.empty()) begin_session();
    return;
  }
  if (is_settling_) return settle_step();
  if (kind_ == Kind::witness || world_.now < next_step_) return;
  next_step_ = world_.now + milliseconds(random_.between(1, 120));
  act();
}

void Visitor::act() {
  if (!session_) {
    if (links_.empty()) begin_session();
    return;
  }
  struct Choice {
    std::size_t weight;
    void (Visitor::*action)();
  };
  static const std::vector<Choice> kChoices{
      {26, &Visitor::poll},        {7, &Visitor::abort_poll},  {18, &Visitor::side_request},
      {6, &Visitor::open_socket},  {14, &Visitor::use_socket}, {4, &Visitor::open_events},
      {6, &Visitor::abort_stream}, {3, &Visitor::slow_down},   {2, &Visitor::go_quiet},
      {1, &Visitor::disconnect},   {2, &Visitor::cut_batch}};
  std::size_t all = 0;
  for (const Choice& choice : kChoices) all += choice.weight;
  std::size_t at = random_.below(all);
  for (const Choice& choice : kChoices) {
    if (at < choice.weight) return (this->*choice.action)();
    at -= choice.weight;
  }
}

void Visitor::begin_session() {
  early_trace_.clear();
  const std::string more =
      R"("version":"1.0","supportedConnectionTypes":["websocket","eventsource","long-polling","callback-polling"])";
  if (kind_ == Kind::witness || random_.percent(30)) {
    const LinkPtr link = open(Role::socket);
    link->connection->upgrade("/bayeux");
    send(*link, {message(Verb::handshake, *link, more)});
    return;
  }
  const LinkPtr link = open(Role::side);
  send(*link, {message(Verb::handshake, *link, more)});
}

void Visitor::poll() {
  if (has_asked(Role::poll) && !random_.percent(8)) return;  // now and then one too many
  const LinkPtr current = stream();
  if (current && !random_.percent(25)) return;
  const LinkPtr link = http_link(Role::poll);
  if (current && current->role == Role::events && random_.percent(50)) {
    return send(*link, {message(Verb::connect, *link, R"("connectionType":"eventsource")")});
  }
  const bool is_brief = random_.percent(20);
  std::string more = R"("connectionType":"long-polling")";
  if (is_brief)
    more += R"(,"advice":{"timeout":0})";
  else if (random_.percent(30))
    more += fmt::format(R"(,"advice":{{"timeout":{}}})", random_.between(1, 900));
  if (!is_brief) displace_stream(link.get());
  send(*link, {message(Verb::connect, *link, more)});
  if (random_.percent(8)) abort_poll();
}

void Visitor::abort_poll() {
  for (const LinkPtr& link : std::vector(links_)) {
    if (link->role != Role::poll || link->asks.empty() || link->is_leaving) continue;
    const std::size_t how = random_.below(3);
    if (how == 2) {
      trace(fmt::format("{}: half-close", link->name));
      link->connection->half_close();
      link->is_leaving = true;
      rival_at_ = world_.now;
      return;
    }
    return cut(*link, how == 1);
  }
}

void Visitor::side_request() {
  const LinkPtr current = stream();
  const bool over_socket = current && current->role == Role::socket && random_.percent(60);
  const LinkPtr link = over_socket ? current : http_link(Role::side);
  std::vector<std::string> messages;
  for (std::size_t count = random_.between(1, 3); count > 0; --count) {
    const std::size_t what = random_.below(10);
    if (what < 6)
      messages.push_back(subscribe_message(*link, true, random_.between(1, 3)));
    else if (what < 8)
      messages.push_back(subscribe_message(*link, false, random_.between(1, 2)));
    else
      messages.push_back(publish_message(*link));
  }
  std::erase(messages, "");
  if (!messages.empty()) send(*link, messages);
}

void Visitor::open_socket() {
  if (stream() && !random_.percent(20)) return;
  const bool has_rival = is_tangled();
  const LinkPtr link = open(Role::socket, random_.percent(40) ? kSmallBuffer : 0);
  link->has_rival = has_rival;
  if (has_rival) rival_at_ = tangled_at_ = world_.now;
  displace_stream(link.get());
  link->connection->upgrade("/bayeux");
  // Faye binds its session with a connect, CometD with whatever comes first.
  if (random_.percent(60)) {
    send(*link, {message(Verb::connect, *link, R"("connectionType":"websocket")")});
  } else if (const std::string first = subscribe_message(*link, true, 1); !first.empty()) {
    send(*link, {first});
  }
  if (random_.percent(8)) cut(*link, random_.percent(50));
}

void Visitor::use_socket() {
  const LinkPtr link = stream();
  if (!link || link->role != Role::socket) return;
  const bool is_held = std::ranges::any_of(
      link->asks, [](const auto& ask) { return ask.second.verb == Verb::connect; });
  if (is_held && !random_.percent(10)) return;
  std::vector<std::string> messages;
  if (random_.percent(20)) messages.push_back(subscribe_message(*link, random_.percent(70), 1));
  std::string more = R"("connectionType":"websocket")";
  if (random_.percent(20)) more += R"(,"advice":{"timeout":0})";
  messages.push_back(message(Verb::connect, *link, more));
  std::erase(messages, "");
  send(*link, messages);
}

void Visitor::open_events() {
  if (stream() && !random_.percent(20)) return;
  const bool has_rival = is_tangled();
  const LinkPtr link = open(Role::events);
  link->has_rival = has_rival;
  if (has_rival) rival_at_ = tangled_at_ = world_.now;
  displace_stream(link.get());
  link->bound = bound_ = world_.model.tick();
  link->asks.emplace("events", Ask{.verb = Verb::connect, .tick = link->bound, .at = world_.now});
  trace(fmt::format("{}: GET event stream", link->name));
  link->connection->get("/bayeux/" + session_->client_id(), "Accept: text/event-stream\r\n");
}

void Visitor::abort_stream() {
  const LinkPtr link = stream();
  if (!link) return;
  if (random_.percent(40)) return say_goodbye(*link);
  cut(*link, random_.percent(50));
}

void Visitor::slow_down() {
  const LinkPtr link = stream();
  if (!link) return;
  link->slow_until = world_.now + milliseconds(random_.between(100, 1'500));
  next_step_ = link->slow_until + milliseconds(1);
  trace(fmt::format("{}: stops reading for a while", link->name));
}

void Visitor::go_quiet() {
  if (random_.percent(50)) {
    next_step_ = world_.now + milliseconds(random_.below(2'000));
    return trace("goes quiet");
  }
  for (const LinkPtr& link : std::vector(links_)) {
    if (is_stream(*link))
      say_goodbye(*link);
    else if (!link->is_leaving)
      cut(*link, false);
  }
  // Half of the time for too long.
  next_step_ = world_.now + milliseconds(random_.below(static_cast<std::size_t>(
                                2 * world_.timing.session_timeout.count())));
  trace("closes everything and goes quiet");
}

void Visitor::disconnect() {
  const LinkPtr current = stream();
  const bool over_socket = current && current->role == Role::socket && random_.percent(50);
  const LinkPtr link = over_socket ? current : http_link(Role::side);
  send(*link, {message(Verb::disconnect, *link)});
  session_->end();
  is_ending_ = true;
}

/// Asks for something that takes a moment together with a connect that brings what waits, and goes
/// before the answer is there.
void Visitor::cut_batch() {
  const LinkPtr link = http_link(Role::side);
  const std::string first = publish_message(*link);
  send(*link, {first, message(Verb::connect, *link,
                              R"("connectionType":"long-polling","advice":{"timeout":0})")});
  cut(*link, random_.percent(60));
}

/// Brings everything home: ends its streams in good order, then polls until nothing comes.
void Visitor::settle_step() {
  if (!session_) {
    is_settled_ = links_.empty();
    return;
  }
  for (const LinkPtr& link : std::vector(links_)) {
    if (world_.now < link->slow_until) return;
    if (is_stream(*link) && !link->is_leaving) say_goodbye(*link);
  }
  const bool is_waiting = std::ranges::any_of(
      links_, [](const LinkPtr& link) { return is_stream(*link) || !link->asks.empty(); });
  if (is_waiting || world_.now < rival_at_ + kTravelTime) return;
  if (empty_polls_ == 2) {
    is_settled_ = true;
    return;
  }
  const LinkPtr link = http_link(Role::poll);
  send(*link, {message(Verb::connect, *link,
                       R"("connectionType":"long-polling","advice":{"timeout":50})")});
}

void Visitor::leave() {
  if (session_) world_.model.remove(*session_);
  links_.clear();
}

// ---- How it is done.

Visitor::LinkPtr Visitor::open(Role role, int receive_bytes_max) {
  static constexpr std::string_view kNames[] = {"poll", "side", "socket", "events"};
  const auto link = std::make_shared<Link>();
  link->connection = std::make_unique<Connection>(world_.port, receive_bytes_max);
  link->role = role;
  link->name = fmt::format("{}{}", kNames[static_cast<std::size_t>(role)], next_link_++);
  links_.push_back(link);
  return link;
}

Visitor::LinkPtr Visitor::http_link(Role role) {
  for (const LinkPtr& link : std::vector(links_)) {
    if (link->role != role || !link->asks.empty() || link->is_leaving) continue;
    if (random_.percent(70)) return link;
    cut(*link, random_.percent(30));
  }
  return open(role);
}

Visitor::LinkPtr Visitor::stream() const {
  for (const LinkPtr& link : links_) {
    if (is_stream(*link) && !link->is_leaving && !link->was_displaced) return link;
  }
  return nullptr;
}

bool Visitor::has_asked(Role role) const {
  return std::ranges::any_of(links_, [role](const LinkPtr& link) {
    return link->role == role && !link->asks.empty() && !link->is_leaving;
  });
}

/// Whether something that takes the deliveries is on its way, besides on `but`: which of the two
/// will be the newer one is for the server to say.
bool Visitor::is_tangled(const Link* but) const {
  return std::ranges::any_of(links_, [&](const LinkPtr& link) {
    if (link.get() == but) return false;
    if (link->role == Role::poll) return !link->asks.empty();
    if (!is_stream(*link) || link->is_leaving) return false;
    // A connect that is held there has arrived long ago.
    return std::ranges::any_of(link->asks, [&](const auto& ask) {
      return ask.second.verb != Verb::connect || world_.now < ask.second.at + kTravelTime;
    });
  });
}

std::string Visitor::message(Verb verb, Link& link, const std::string& more) {
  static constexpr std::string_view kMeta[] = {
      "/meta/handshake", "/meta/connect", "/meta/subscribe", "/meta/unsubscribe", "",
      "/meta/disconnect"};
  const std::string id = fmt::to_string(next_id_++);
  std::string text = fmt::format(R"({{"id":"{}")", id);
  if (verb != Verb::publish) {
    text += fmt::format(R"(,"channel":"{}")", kMeta[static_cast<std::size_t>(verb)]);
  }
  if (session_) text += fmt::format(R"(,"clientId":"{}")", session_->client_id());
  if (!more.empty()) text += ',' + more;
  link.asks.emplace(
      id, Ask{.verb = verb,
              .tick = world_.model.tick(),
              .at = world_.now,
              .idle_before = std::chrono::duration_cast<milliseconds>(world_.now - sign_at_most_)});
  if (verb == Verb::connect && is_tangled(&link)) rival_at_ = tangled_at_ = world_.now;
  return text + '}';
}

/// Empty if there is no name left about which nothing is on its way.
std::string Visitor::subscribe_message(Link& link, bool is_subscribe, std::size_t count) {
  std::vector<std::size_t> patterns;
  for (std::size_t tries = 0; tries < 4 * count && patterns.size() < count; ++tries) {
    const std::size_t pattern = random_.below(names().size());
    // "/**" makes everything due, and hides mistakes with the others.
    if (names()[pattern] == "/**" && !random_.percent(10)) continue;
    const bool is_busy = std::ranges::any_of(links_, [&](const LinkPtr& other) {
      return std::ranges::any_of(other->asks, [&](const auto& ask) {
        return std::ranges::find(ask.second.patterns, pattern) != ask.second.patterns.end();
      });
    });
    if (is_busy || !session_->is_tracked(pattern)) continue;
    if (std::ranges::find(patterns, pattern) == patterns.end()) patterns.push_back(pattern);
  }
  if (patterns.empty()) return {};
  std::vector<std::string> quoted;
  for (const std::size_t pattern : patterns) quoted.push_back('"' + names()[pattern] + '"');
  const std::string list = quoted.size() == 1 && random_.percent(70)
                               ? quoted.front()
                               : fmt::format("[{}]", fmt::join(quoted, ","));
  const Verb verb = is_subscribe ? Verb::subscribe : Verb::unsubscribe;
  const std::string text = message(verb, link, "\"subscription\":" + list);
  Ask& ask = link.asks.at(fmt::to_string(next_id_ - 1));
  ask.patterns = patterns;
  for (const std::size_t pattern : patterns) {
    if (is_subscribe)
      ask.intervals.push_back(session_->ask(pattern));
    else
      session_->ask_to_leave(pattern);
  }
  return text;
}

std::string Visitor::publish_message(Link& link) {
  const std::size_t channel = random_.below(kChannels);
  const PublicationId id = world_.model.start(channel, random_.below(400));
  const std::string text = message(
      Verb::publish, link,
      fmt::format(R"("channel":"{}","data":{})", names()[channel], world_.model.data_of(id)));
  link.asks.at(fmt::to_string(next_id_ - 1)).publication = id;
  return text;
}

void Visitor::send(Link& link, const std::vector<std::string>& messages) {
  const std::string text = joined(messages);
  trace(fmt::format("{}: > {}", link.name, text.substr(0, 300)));
  if (!is_stream(link)) link.delivered.clear();
  if (is_stream(link) || link.role == Role::poll) link.bound = bound_ = world_.model.tick();
  if (link.role == Role::socket) return link.connection->send_text(text);
  if (link.role == Role::poll && random_.percent(25)) {
    return link.connection->get(fmt::format("/bayeux?message={}&jsonp=cb", percent_encoded(text)));
  }
  static const std::vector<std::string> kPaths{"/bayeux", "/bayeux/", "/bayeux/connect"};
  link.connection->post(random_.one_of(kPaths), text);
}

/// What the deliveries went to until now will hear nothing more.
void Visitor::displace_stream(const Link* by) {
  for (const LinkPtr& link : links_) {
    if (is_stream(*link) && link.get() != by) link->was_displaced = true;
  }
}

void Visitor::say_goodbye(Link& link) {
  if (link.is_leaving) return;
  link.is_leaving = true;
  link.left_at = world_.now;
  const bool is_silent = link.role == Role::events || random_.percent(40);
  trace(fmt::format("{}: {}", link.name, is_silent ? "half-close" : "close frame"));
  if (is_silent)
    link.connection->half_close();
  else
    link.connection->send_close();
}

void Visitor::cut(Link& link, bool by_reset) {
  trace(fmt::format("{}: {}", link.name, by_reset ? "reset" : "close"));
  if (by_reset)
    link.connection->reset();
  else
    link.connection->close();
  if (session_) {
    if (is_stream(link) && link.bound != 0) {
      session_->stream_broken();
      if (link.has_answered && !link.was_displaced) sign_at_least_ = world_.now;
    }
    if (!is_stream(link) && !link.asks.empty()) session_->poll_cut();
    if (by_reset && !is_stream(link) && link.asks.empty()) session_->may_repeat(link.delivered);
  }
  forget_asks(link);
  std::erase_if(links_, [&](const LinkPtr& known) { return known.get() == &link; });
}

void Visitor::forget_asks(Link& link) {
  if (!link.asks.empty()) rival_at_ = world_.now;
  for (const auto& [id, ask] : link.asks) {
    for (const std::size_t pattern : ask.patterns) {
      if (session_) session_->lose_track(pattern);
    }
  }
  link.asks.clear();
}

void Visitor::end_session() {
  trace("the session is over");
  session_->end();
  world_.model.remove(*session_);
  links_.clear();
  session_ = nullptr;
  is_ending_ = false;
}

// ---- What comes.

void Visitor::add_descriptors(std::vector<pollfd>& to) const {
  for (const LinkPtr& link : links_) {
    if (!link->connection->is_open() || world_.now < link->slow_until) continue;
    const int events = POLLIN | (link->connection->has_unwritten() ? POLLOUT : 0);
    to.push_back({link->connection->descriptor(), static_cast<short>(events), 0});
  }
}

void Visitor::read() {
  std::vector<LinkPtr> links = links_;
  std::ranges::sort(links, {}, [](const LinkPtr& link) { return link->bound; });
  std::erase_if(links, [this](const LinkPtr& link) { return world_.now < link->slow_until; });
  // What is on an older connection was written before what is on a newer one; so when the newer
  // one has been emptied first, all of the former is there.
  for (auto link = links.rbegin(); link != links.rend(); ++link) (*link)->connection->pull();
  for (const LinkPtr& link : links) {
    for (const Arrival& arrival : link->connection->take()) {
      // Something that came before may have ended the session, and with it all connections.
      const bool is_ours = std::ranges::find(links_, link) != links_.end();
      if (is_ours) take(*link, arrival);
    }
  }
}

void Visitor::take(Link& link, const Arrival& arrival) {
  switch (arrival.kind) {
    case Arrival::upgraded:
      if (link.role == Role::events) {
        link.asks.erase("events");
        link.has_answered = true;
        sign_at_least_ = std::max(sign_at_least_, world_.previous);
      }
      return;
    case Arrival::close:
      trace(fmt::format("{}: < close {} {}", link.name, arrival.status, arrival.body));
      link.was_overrun = arrival.status == wire::websocket::kTryAgainLater;
      if (link.was_overrun && session_) session_->came_late(link.delivered);
      return;
    case Arrival::end:
      return take_end(link, arrival.is_clean);
    case Arrival::message:
      return take_messages(link, arrival.body);
    case Arrival::answer:
      break;
  }
  trace(fmt::format("{}: < {} {}", link.name, arrival.status, arrival.body.substr(0, 100)));
  if (arrival.status == 200) return take_messages(link, arrival.body);
  const auto asks = std::exchange(link.asks, {});
  if (asks.empty()) fail(fmt::format("{}: an answer that nobody asked for", link.name));
  if (link.role == Role::events && arrival.status == 404)
    return session_unknown(asks.begin()->second);
  const bool is_rival_known = world_.now < rival_at_ + kTravelTime + kTimerSlack;
  if (link.role == Role::poll && arrival.status == 500 && arrival.body.empty() && is_rival_known) {
    return;  // superseded
  }
  fail(fmt::format("{}: status {} {}", link.name, arrival.status, arrival.body.substr(0, 200)));
}

void Visitor::take_messages(Link& link, std::string_view text) {
  constexpr std::string_view kBefore = "/**/cb(";
  constexpr std::string_view kAfter = ");";
  if (text.starts_with(kBefore)) {
    text = text.substr(kBefore.size(), text.size() - kBefore.size() - kAfter.size());
  }
  const auto array = wire::json::validate(text);
  if (!array || !array->is_array()) fail(fmt::format("{}: no JSON array: {}", link.name, text));
  if (session_) session_->take_latest();
  std::vector<Value> replies;
  array->for_each_element([&](const Value& element) {
    const auto data = element.find("data");
    if (!data) return replies.push_back(element);
    if (!session_) fail("a delivery without a session");
    session_->deliver(text_of(element, "channel"), data->raw());
    if (element.find("id") || element.find("clientId")) fail("a delivery with an id");
  });
  std::vector<PublicationId> latest;
  if (session_) latest = session_->take_latest();
  if (!is_stream(link)) link.delivered.clear();
  link.delivered.insert(link.delivered.end(), latest.begin(), latest.end());
  const bool is_tangle = world_.now < tangled_at_ + kTravelTime;
  if (session_ && (is_tangle || (is_stream(link) && (link.is_leaving || link.was_displaced))))
    session_->came_late(latest);
  const bool is_whole = text.size() < kWholeAnswerBytesMax;
  for (const Value& reply : replies) {
    const std::string id = text_of(reply, "id");
    const auto found = link.asks.find(id);
    if (found == link.asks.end()) {
      fail(fmt::format("{}: a reply that nobody asked for: {}", link.name, reply.raw()));
    }
    const Ask ask = found->second;
    link.asks.erase(found);
    if (is_stream(link)) trace(fmt::format("{}: < reply {}", link.name, id));
    const bool had_session = session_ != nullptr;
    take_reply(link, ask, reply);
    if (had_session && !session_) return;  // it was unknown, and all links are closed
    if (!session_ || is_ending_) continue;
    if (is_whole && shows_all(link, ask)) session_->answered(ask.tick);
    if (is_settling_ && ask.verb == Verb::connect && link.role == Role::poll) {
      empty_polls_ = latest.empty() ? empty_polls_ + 1 : 0;
    }
  }
  if (!is_stream(link) && !link.asks.empty()) {
    fail(fmt::format("{}: an answer without all the replies", link.name));
  }
}

/// Rule 1, for streams: looks every few seconds whether what was due the last time has come since.
void Visitor::check_stream() {
  const LinkPtr link = stream();
  const bool is_reading = link && link->has_answered && world_.now >= link->slow_until &&
                          world_.now >= rival_at_ + kTravelTime;
  if (!is_reading || link->name != watched_) {
    watched_ = is_reading ? link->name : std::string();
  } else if (world_.now < watched_since_ + kStreamTime) {
    return;
  } else {
    session_->waited(watched_tick_);
  }
  watched_since_ = world_.now;
  watched_tick_ = world_.model.tick();
}

/// Whether the reply to that proves that all that was waiting before has come (rule 1).
bool Visitor::shows_all(const Link& link, const Ask& ask) const {
  return world_.now >= rival_at_ + kTravelTime && link.role == Role::poll &&
         ask.verb == Verb::connect &&
         std::ranges::none_of(links_, [](const LinkPtr& other) { return is_stream(*other); });
}

void Visitor::take_reply(Link& link, const Ask& ask, const Value& reply) {
  const auto successful = reply.find("successful");
  const bool is_successful = successful && successful->as_bool().value_or(false);
  if (ask.verb == Verb::handshake) {
    if (!is_successful) fail(fmt::format("a handshake failed: {}", reply.raw()));
    session_ = world_.model.add_session(text_of(reply, "clientId"));
    world_.sessions.push_back(session_);
    if (link.role == Role::socket) link.bound = bound_ = world_.model.tick();
    sign_at_least_ = ask.at;
    sign_at_most_ = world_.now;
    link.has_answered = true;
    for (std::string& line : early_trace_) session_->trace(std::move(line));
    if (kind_ == Kind::witness) {
      const std::size_t all = names().size() - 1;
      const std::string text = message(Verb::subscribe, link, R"("subscription":"/**")");
      Ask& subscribe = link.asks.at(fmt::to_string(next_id_ - 1));
      subscribe.patterns.push_back(all);
      subscribe.intervals.push_back(session_->ask(all));
      send(link, {text, message(Verb::connect, link, R"("connectionType":"websocket")")});
    }
    return;
  }
  if (ask.verb == Verb::publish) {
    if (!is_successful) fail(fmt::format("a publish failed: {}", reply.raw()));
    return world_.model.accept(*ask.publication);
  }
  if (!is_successful) {
    if (!text_of(reply, "error").starts_with("401:"))
      fail(fmt::format("it failed: {}", reply.raw()));
    return session_unknown(ask);
  }
  if (ask.idle_before > world_.timing.session_timeout + kTimerSlack && !is_ending_) {
    fail(fmt::format("the session lives, after {} ms without a sign from its client",
                     ask.idle_before.count()));
  }
  link.has_answered = true;
  world_.model.heard(session_->worker(), ask.tick);
  sign_at_most_ = world_.now;
  // A connect is held, and its answer is a sign of life as well; the others are answered at once.
  sign_at_least_ = std::max(sign_at_least_, ask.verb == Verb::connect ? world_.previous : ask.at);
  for (const std::size_t interval : ask.intervals) session_->joined(interval);
  if (ask.verb == Verb::unsubscribe) {
    for (const std::size_t pattern : ask.patterns) session_->left(pattern);
  }
  if (kind_ == Kind::witness) {
    is_ready_ = true;
    if (ask.verb == Verb::connect && !is_settling_) {
      send(link, {message(Verb::connect, link, R"("connectionType":"websocket")")});
    }
  }
}

/// The server has forgotten the session. It may, if it heard nothing for long enough.
void Visitor::session_unknown(const Ask& ask) {
  const auto silence =
      std::chrono::duration_cast<milliseconds>(world_.now - std::max(sign_at_least_, Time{}));
  if (is_ending_) return;
  trace(fmt::format("unknown after {} ms", silence.count()));
  if (silence < world_.timing.session_timeout - milliseconds(60)) {
    fail(fmt::format("what was asked at {} found no session, {} ms after its last sign of life",
                     ask.tick, silence.count()));
  }
  end_session();
}

void Visitor::take_end(Link& link, bool is_clean) {
  trace(fmt::format("{}: < end{}", link.name, is_clean ? "" : ", broken"));
  // An event stream has no words for "too much is waiting for you": it just breaks off.
  const bool was_overrun = link.was_overrun || (link.role == Role::events && !is_clean);
  const bool was_expected = link.is_leaving || is_ending_ || was_overrun ||
                            (is_stream(link) && (link.was_displaced || link.has_rival));
  if (!was_expected) fail(fmt::format("{}: the server has closed it", link.name));
  // When the server let go of a stream that it closed itself is not known: its end may have had to
  // wait for us to read.
  if (is_stream(link) && link.is_leaving && link.has_answered && !link.was_displaced &&
      !was_overrun) {
    sign_at_least_ = std::max(sign_at_least_, link.left_at);
  }
  forget_asks(link);
  std::erase_if(links_, [&](const LinkPtr& known) { return known.get() == &link; });
}

void Visitor::check_patience() {
  check_stream();
  for (const LinkPtr& link : links_) {
    for (const auto& [id, ask] : link->asks) {
      if (world_.now > ask.at + world_.timing.connect_timeout + kPatience) {
        fail(fmt::format("{}: message {}, asked at {}, is never answered", link->name, id,
                         ask.tick));
      }
    }
    if (link->is_leaving && world_.now > link->left_at + kPatience && link->left_at != Time{}) {
      fail(fmt::format("{}: the server does not close it", link->name));
    }
  }
}

}  // namespace fanfare::checker
