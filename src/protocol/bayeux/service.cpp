#include "protocol/bayeux/service.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <boost/unordered/unordered_flat_set.hpp>
#include <fmt/format.h>

#include "base/fault.hpp"
#include "protocol/bayeux/replies.hpp"
#include "wire/bayeux/errors.hpp"
#include "wire/bayeux/reply.hpp"

namespace fanfare::protocol::bayeux {

using wire::bayeux::Advice;
using wire::bayeux::Message;
using wire::bayeux::Problem;
using wire::bayeux::Reconnect;
using wire::bayeux::Reply;

namespace {

// All of the server's, in the order in which Faye's server lists them (rule R8: never the
// intersection).
constexpr std::array<std::string_view, 6> kConnectionTypes{
    "long-polling", "cross-origin-long-polling", "callback-polling", "websocket", "eventsource",
    "in-process"};

// Checking a name, finding it, telling its home.
constexpr base::Work kName = 1'000;
// A session is made, or ended with what it has.
constexpr base::Work kSession = 4'000;
constexpr base::Work kPublish = 3'000;
// Looking at a byte of JSON: validating, walking and copying it.
constexpr base::Work kParsedByte = 4;
// A client that has just shaken hands is about to connect, and is not to lose its place to the
// next.
constexpr base::Duration kFreshGrace{2'000};
// Looked at for a session that has never connected, when the realm is full.
constexpr int kAddressesLookedAt = 64;

bool is_connection_type(std::string_view name) {
  return std::ranges::find(kConnectionTypes, name) != kConnectionTypes.end();
}

bool is_within(std::string_view channel, std::string_view root) {
  return channel.starts_with(root) &&
         (channel.size() == root.size() || channel[root.size()] == '/');
}

/// What is wrong with the list of names in a subscribe or unsubscribe; empty if nothing is.
std::string problem_with_names(const Message& message, const core::Realm& realm) {
  const auto& subscription = message.subscription;
  if (subscription.given == wire::bayeux::Given::no)
    return error_text(dialect(realm), Problem::subscription_missing);
  if (!subscription.is_given())
    return error_text(dialect(realm), Problem::subscription_invalid, subscription.raw);
  const std::size_t count = subscription.names.size();
  const std::size_t limit = realm.limits.subscribe_channels_max;
  if (count <= limit) return {};
  return wire::bayeux::error_text(
      413, {},
      fmt::format("{} channels in one message, subscribe_channels_max is {}", count, limit));
}

bool is_public(std::string_view channel) {
  return channel.size() > 1 && (channel[1] == '!' || channel[1] == '+');
}

}  // namespace

/// The sessions of one address in one realm.
struct Service::Neighbours {
  std::size_t count = 0;
  // Those that have never connected, the oldest first: when there is no more room they go.
  boost::intrusive::list<Session, boost::intrusive::base_hook<FreshHook>,
                         boost::intrusive::constant_time_size<false>>
      fresh;
};

struct Service::LocalRealm {
  core::RealmShare& share;
  boost::unordered_flat_map<SessionId, std::unique_ptr<Session>, SessionId::Hash> sessions;
  // Never holds one without sessions; those keep the addresses.
  boost::unordered_flat_map<core::Address*, std::unique_ptr<Neighbours>> neighbours;
};

/// While it lives, the parser has the messages of this array; whoever parses meanwhile lets it keep
/// them first.
class Service::Reading {
 public:
  Reading(Service& service, Answering& answering)
      : service_(service), outer_(std::exchange(service.reading_, &answering)) {}
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;
  ~Reading() { service_.reading_ = outer_; }

 private:
  Service& service_;
  Answering* outer_;
};

/// A subscription on its way to its homes. If it is dropped before they have answered, because
/// something threw, nobody can say what will be delivered: the session ends.
class Service::Joining {
 public:
  Joining(Service& service, Answering& batch, const SessionId& session)
      : service_(service), batch_(&batch), session_(session) {}
  Joining(Joining&&) noexcept = default;
  Joining& operator=(Joining&&) = delete;
  ~Joining() {
    if (!batch_) return;
    Session* const session = service_.find(*batch_->realm(), session_);
    if (session != nullptr) service_.end(*session, core::kFailed);
  }
  void operator()() { std::exchange(batch_, nullptr)->one_is_done(); }

 private:
  Service& service_;
  AnsweringPtr batch_;
  SessionId session_;
};

Service::Service(core::Exchange& exchange, base::TimerWheel& timers, const base::Clock& clock,
                 const ServiceLimits& limits)
    : exchange_(exchange),
      timers_(timers),
      clock_(clock),
      parser_(limits.json_depth_max),
      departures_(exchange, clock, timers) {}

Service::~Service() {
  clear();
}

Service::LocalRealm& Service::local(const core::RealmPtr& realm) {
  auto& slot = realms_[realm->id.value()];
  if (!slot) slot = std::make_unique<LocalRealm>(LocalRealm{ledger().realm(realm), {}, {}});
  return *slot;
}

Service::Neighbours& Service::neighbours(LocalRealm& local, core::Address& address) {
  auto& slot = local.neighbours[&address];
  if (!slot) slot = std::make_unique<Neighbours>();
  return *slot;
}

base::Result<std::span<const Message>> Service::parse(const core::Realm& realm,
                                                      std::string_view text) {
  if (reading_ != nullptr) reading_->keep_messages();
  FANFARE_MAY_THROW("the parsing of messages");
  turn().spend(text.size() * kParsedByte);
  return parser_.parse(text, realm.limits.batch_messages_max);
}

std::optional<core::WorkerIndex> Service::elsewhere(std::span<const Message> messages) const {
  for (const Message& message : messages) {
    if (!message.client_id.is_given()) continue;
    const auto id = SessionId::parse(message.client_id.text);
    if (!id) continue;
    if (id->worker() == exchange_.self()) return std::nullopt;
    if (is_elsewhere(*id)) return id->worker();
  }
  return std::nullopt;
}

Session* Service::find(const core::Realm& realm, const SessionId& id) noexcept {
  const auto found_realm = realms_.find(realm.id.value());
  if (found_realm == realms_.end()) return nullptr;
  auto& sessions = found_realm->second->sessions;
  const auto found = sessions.find(id);
  return found == sessions.end() ? nullptr : found->second.get();
}

std::size_t Service::session_count() const noexcept {
  std::size_t count = 0;
  for (const auto& [id, realm] : realms_) count += realm->sessions.size();
  return count;
}

void Service::handle(const core::RealmPtr& realm, std::span<const Message> messages,
                     CallerPtr caller) {
  const AnsweringPtr answering(new Answering(*this, realm, messages, std::move(caller)));
  const Reading reading(*this, *answering);
  answering->begin();
}

void Service::carry_out(Answering& batch, const Message& message) {
  FANFARE_MAY_THROW("a message");
  if (message.id.given == wire::bayeux::Given::wrongly)
    return batch.refuse(message, Problem::id_invalid, {});
  const std::string_view channel = message.channel.text;
  if (message.channel.given == wire::bayeux::Given::no)
    return batch.refuse(message, Problem::channel_missing, {});
  if (!message.channel.is_given()) return batch.refuse(message, Problem::channel_invalid, {});
  // Meta channels match by exact string: "/meta/subscribe/x" is none of them.
  if (channel == "/meta/handshake") return handshake(batch, message);
  struct Meta {
    std::string_view channel;
    Handler handler;
  };
  static constexpr std::array<Meta, 4> kMeta{{{"/meta/connect", &Service::connect},
                                              {"/meta/subscribe", &Service::subscribe},
                                              {"/meta/unsubscribe", &Service::unsubscribe},
                                              {"/meta/disconnect", &Service::disconnect}}};
  for (const auto& [name, handler] : kMeta) {
    if (channel != name) continue;
    if (Session* const session = session_of(batch, message))
      act_for(*session, handler, batch, message);
    return;
  }
  publish(batch, message);
}

/// What throws in the midst may leave the session half changed. So it ends, and its client begins
/// anew.
void Service::act_for(Session& session, Handler handler, Answering& batch, const Message& message) {
  const SessionId id = session.id();
  try {
    FANFARE_MAY_THROW("a message of a session");
    (this->*handler)(batch, message, session);
  } catch (...) {
    if (Session* const left = find(*batch.realm(), id)) end(*left, core::kFailed);
    throw;
  }
}

/// The session that a meta message names; without one the message is refused here.
Session* Service::session_of(Answering& batch, const Message& message) {
  // Without advice, a connect that fails is tried again at once, for ever.
  std::optional<Advice> advice;
  if (message.channel.text == "/meta/connect") advice = kHandshakeAgain;
  if (!message.client_id.is_given()) {
    batch.refuse(message, Problem::parameter_missing, "clientId", advice);
    return nullptr;
  }
  const auto id = SessionId::parse(message.client_id.text);
  Session* const session = id ? find(*batch.realm(), *id) : nullptr;
  if (session == nullptr) {
    batch.refuse(message, Problem::session_unknown, message.client_id.text, advice);
    return nullptr;
  }
  session->touch();
  if (!has_place_for(*session, batch)) {
    batch.refuse(
        message,
        wire::bayeux::error_text(
            413, {},
            fmt::format("Too many sessions on one connection, connection_sessions_max is {}",
                        batch.realm()->limits.connection_sessions_max)),
        advice);
    return nullptr;
  }
  if (batch.outlet() != nullptr) session->bind(*batch.outlet());
  return session;
}

/// Whether its connection, if it is a stream, has place for this session.
bool Service::has_place_for(const Session& session, const Answering& batch) {
  const Outlet* const outlet = batch.outlet();
  return outlet == nullptr || session.is_bound_to(*outlet) ||
         outlet->session_count() < batch.realm()->limits.connection_sessions_max;
}

void Service::handshake(Answering& batch, const Message& message) {
  // A client that offers nothing we have will not have it after five seconds either (rule R10).
  const Advice give_up{Reconnect::none, {}, {}};
  const core::Realm& realm = *batch.realm();
  const auto refuse = [&](const std::string& error, std::optional<Advice> advice) {
    batch.reply(Reply{.id = message.id.text,
                      .channel = message.channel.text,
                      .is_successful = false,
                      .version = wire::bayeux::kVersion,
                      .supported_connection_types = kConnectionTypes,
                      .advice = advice,
                      .error = error});
  };
  if (!batch.may_shake_hands())
    return refuse(wire::bayeux::error_text(413, {}, "one handshake a request"), {});
  const bool wants_all_parameters = realm.dialect == core::Dialect::faye;
  if (wants_all_parameters && !message.has_version) {
    return refuse(error_text(dialect(realm), Problem::parameter_missing, "version"), give_up);
  }
  const auto& offered = message.supported_connection_types;
  if (wants_all_parameters && !offered.is_given()) {
    return refuse(
        error_text(dialect(realm), Problem::parameter_missing, "supportedConnectionTypes"),
        give_up);
  }
  if (offered.is_given() && std::ranges::none_of(offered.names, is_connection_type)) {
    const std::string names = fmt::format("{}", fmt::join(offered.names, ","));
    return refuse(error_text(dialect(realm), Problem::connection_types_unsupported, names),
                  give_up);
  }
  LocalRealm& local = this->local(batch.realm());
  const core::AddressPtr address = ledger().address(batch.peer_network());
  if (const auto limit = make_room(local, *address); !limit.empty()) {
    return refuse(
        wire::bayeux::error_text(503, {}, fmt::format("Too many sessions, {} is reached", limit)),
        {});
  }
  Outlet* const outlet = batch.outlet();
  // The client begins anew: with its old session there, all would come twice. (Not while a frame
  // is half written: leaving would break the connection.)
  if (outlet != nullptr && !outlet->is_congested()) {
    outlet->supersede_all();
    outlet->leave_all();
  }
  const SessionId id = SessionId::make(exchange_.self());
  Session& session =
      *(local.sessions[id] = std::make_unique<Session>(*this, local.share, address, id));
  Neighbours& neighbours = this->neighbours(local, *address);
  ++neighbours.count;
  neighbours.fresh.push_back(session);
  if (outlet != nullptr && has_place_for(session, batch)) session.bind(*outlet);
  const bool wants_ack = message.ack.enabled.value_or(false);
  if (wants_ack) session.enable_acknowledgement();
  const auto time_sync = TimeSync::read(message, clock_.wall_now());
  const std::string ext = make_ext(wants_ack ? "true" : std::string_view(),
                                   time_sync ? time_sync->reply(clock_.wall_now()) : std::string());
  const std::string client_id = id.text();
  batch.reply(
      Reply{.id = message.id.text,
            .client_id = client_id,
            .channel = message.channel.text,
            .version = wire::bayeux::kVersion,
            .supported_connection_types = kConnectionTypes,
            .advice = Advice{Reconnect::retry, base::Duration(0), realm.bayeux.connect_timeout},
            .ext = ext});
}

/// The limit that forbids one session more from this address; empty if there is room, perhaps since
/// one that has never connected went.
std::string_view Service::make_room(LocalRealm& local, core::Address& address) {
  turn().spend(kSession);
  const core::RealmLimits& limits = local.share.realm->limits;
  const auto is_full = [&]() -> std::string_view {
    if (local.sessions.size() >= limits.sessions_max) return "sessions_max";
    const auto found = local.neighbours.find(&address);
    if (found != local.neighbours.end() &&
        found->second->count >= limits.sessions_per_address_max) {
      return "sessions_per_address_max";
    }
    return ledger().full_limit(address, local.share);
  };
  std::string_view limit = is_full();
  if (limit.empty() || drop_fresh(local, address)) return {};
  if (limit == "sessions_max") {
    int left = kAddressesLookedAt;
    for (auto& [other, neighbours] : local.neighbours) {
      if (left-- == 0) break;
      if (drop_fresh(local, *other)) return {};  // the table has changed
    }
  }
  return limit;
}

bool Service::drop_fresh(LocalRealm& local, core::Address& address) {
  const auto found = local.neighbours.find(&address);
  if (found == local.neighbours.end() || found->second->fresh.empty()) return false;
  Session& oldest = found->second->fresh.front();
  if (!oldest.has_been_silent_for(kFreshGrace)) return false;
  end(oldest, core::kSessionExpired);
  return true;
}

void Service::connect(Answering& batch, const Message& message, Session& session) {
  if (!message.connection_type.is_given()) {
    return batch.refuse(message, Problem::parameter_missing, "connectionType", kHandshakeAgain);
  }
  const std::string_view type = message.connection_type.text;
  if (!is_connection_type(type))
    return batch.refuse(message, Problem::connection_types_unsupported, type, kHandshakeAgain);

  session.settle();
  session.supersede_held();
  session.acknowledge(message.ack.batch);
  // What a stream has to bring goes there, before this connect could overtake it.
  const bool has_stream = session.has_outlet() && !session.is_acknowledged();
  const SessionId id = session.id();
  if (batch.outlet() == nullptr && has_stream) session.flush();
  // A client that never acknowledges, or never reads, has lost its session by now.
  if (Session* const left = find(*batch.realm(), id); left == nullptr || left->is_over_limit()) {
    if (left != nullptr) end(*left, core::kSlowConsumer);
    return batch.refuse(message, Problem::session_unknown, message.client_id.text, kHandshakeAgain);
  }
  const core::Realm& realm = *batch.realm();
  const bool is_first = session.is_first_connect();
  if (type == "eventsource" && !session.is_acknowledged()) {
    // Where there is no stream, this takes along what waits for one.
    if (batch.outlet() == nullptr) batch.deliver_to(session.id());
    return append_heartbeat_reply(batch.element(), realm, session.id(), message.id.text);
  }

  base::Duration timeout = realm.bayeux.connect_timeout;
  if (message.advice_timeout_ms) {
    timeout = std::min(timeout, base::Duration(*message.advice_timeout_ms));
  }
  const bool is_stream = batch.outlet() != nullptr;
  auto time_sync = TimeSync::read(message, clock_.wall_now());
  // The first connect says "I am here" to clients that wait for its answer (rule R16). One that
  // finds messages waiting takes them along, where they do not go by themselves.
  const bool may_wait = timeout > base::Duration(0) && !is_first && batch.may_hold();
  // A stream may be half-dead; a poll that would wait says that the client listens here.
  if (may_wait && !is_stream) session.leave_outlet();
  const bool takes_deliveries = !is_stream || session.is_acknowledged();
  if (!may_wait || (takes_deliveries && session.has_waiting())) {
    return answer_connect(batch, message, session, time_sync.get());
  }
  session.hold_connect(message.id.text, is_stream ? nullptr : batch.take_caller(), timeout,
                       std::move(time_sync));
}

void Service::answer_connect(Answering& batch, const Message& message, Session& session,
                             const TimeSync* time_sync) {
  core::BundlePtr bundle;
  if (session.is_acknowledged()) {
    // The reply numbers what leaves with it, so that has to be settled now.
    if (session.has_waiting() && batch.may_deliver()) bundle = session.take_bundle();
    FANFARE_MAY_THROW("deliveries in an answer");
    if (bundle) {
      turn().spend(bundle->bytes());
      append_deliveries(batch.element(), *bundle);
    }
  } else if (batch.outlet() == nullptr) {
    batch.deliver_to(session.id());
  }
  session.append_connect_reply(batch.element(), message.id.text, time_sync, bundle);
}

void Service::subscribe(Answering& batch, const Message& message, Session& session) {
  const std::string client_id = session.id().text();
  const core::Realm& realm = *batch.realm();
  const auto& subscription = message.subscription;
  if (const auto error = problem_with_names(message, realm); !error.empty())
    return batch.refuse(message, error);

  // All or none: first every name is looked at, then all are applied.
  turn().spend(subscription.names.size() * kName);
  std::vector<core::ChannelPattern> wanted;
  boost::unordered_flat_set<std::string_view, core::KeyedHash> named;
  const core::ChannelRules rules = core::channel_rules(realm);
  for (const std::string_view name : subscription.names) {
    auto pattern = core::ChannelPattern::parse(name, rules);
    if (!pattern) return batch.refuse(message, Problem::channel_invalid, name);
    if (is_within(pattern->base(), "/meta"))
      return batch.refuse(message, Problem::channel_forbidden, name);
    const bool is_pattern = pattern->reach() != core::ChannelPattern::Reach::one;
    if (is_pattern && !realm.pattern_subscribe) {
      return batch.refuse(message, Problem::subscribe_forbidden, name);
    }
    // Services answer the session that asks; there is nothing to listen to, and CometD's
    // applications subscribe all the same (rule R27).
    if (is_within(pattern->base(), "/service")) continue;
    if (!session.is_subscribed_to(name) && named.insert(name).second) {
      wanted.push_back(std::move(*pattern));
    }
  }
  if (session.subscription_count() + wanted.size() > realm.limits.session_subscriptions_max) {
    return batch.refuse(message,
                        wire::bayeux::error_text(
                            413, {},
                            fmt::format("Too many subscriptions, session_subscriptions_max is {}",
                                        realm.limits.session_subscriptions_max)));
  }
  if (const auto limit = ledger().full_limit(session.address(), session.realm_share());
      !limit.empty() && !wanted.empty()) {
    return batch.refuse(
        message,
        wire::bayeux::error_text(503, {}, fmt::format("Too much is kept, {} is reached", limit)));
  }
  for (const core::ChannelPattern& pattern : wanted) {
    batch.wait_for_one_more();
    session.add_subscription(
        exchange_.subscribe(batch.realm(), pattern, session, Joining(*this, batch, session.id())));
  }
  batch.reply(Reply{.id = message.id.text,
                    .client_id = client_id,
                    .channel = message.channel.text,
                    .subscription = subscription.raw});
}

void Service::unsubscribe(Answering& batch, const Message& message, Session& session) {
  const auto& subscription = message.subscription;
  if (const auto error = problem_with_names(message, *batch.realm()); !error.empty())
    return batch.refuse(message, error);
  turn().spend(subscription.names.size() * kName);
  const core::ChannelRules rules = core::channel_rules(*batch.realm());
  for (const std::string_view name : subscription.names) {
    const auto pattern = core::ChannelPattern::parse(name, rules);
    if (!pattern) return batch.refuse(message, Problem::channel_invalid, name);
    if (is_within(pattern->base(), "/meta"))
      return batch.refuse(message, Problem::channel_forbidden, name);
  }
  FANFARE_MAY_THROW("an unsubscribe");
  for (const std::string_view name : subscription.names) session.remove_subscription(name);
  const std::string client_id = session.id().text();
  batch.reply(Reply{.id = message.id.text,
                    .client_id = client_id,
                    .channel = message.channel.text,
                    .subscription = subscription.raw});
}

void Service::disconnect(Answering& batch, const Message& message, Session& session) {
  const std::string client_id = session.id().text();
  // The held connect is answered first, on its own transport (rule R26).
  end(session, core::kDisconnected);
  batch.reply(
      Reply{.id = message.id.text, .client_id = client_id, .channel = message.channel.text});
}

void Service::publish(Answering& batch, const Message& message) {
  const core::Realm& realm = *batch.realm();
  const std::string_view text = message.channel.text;
  const auto id =
      message.client_id.is_given() ? SessionId::parse(message.client_id.text) : std::nullopt;
  Session* const session = id ? find(realm, *id) : nullptr;
  if (session != nullptr) {
    session->touch();
    if (batch.outlet() != nullptr && has_place_for(*session, batch)) session->bind(*batch.outlet());
  } else if (realm.dialect == core::Dialect::cometd) {
    return batch.refuse(message, Problem::session_unknown, message.client_id.text);
  }
  if (is_within(text, "/meta")) return batch.refuse(message, Problem::channel_forbidden, text);
  auto channel = core::ChannelName::parse(text, core::channel_rules(realm));
  if (!channel) return batch.refuse(message, Problem::channel_invalid, text);
  if (!message.data) return batch.refuse(message, Problem::data_missing, {});

  const Reply accepted{.id = message.id.text, .client_id = message.client_id.text, .channel = text};
  // Services are for handlers inside the server; what is sent to one never fans out.
  if (is_within(text, "/service")) return batch.reply(accepted);

  const bool is_allowed = realm.client_publish || (realm.anonymous_publish && is_public(text));
  if (!is_allowed) return batch.refuse(message, Problem::publish_forbidden, text);
  const std::string_view data = message.data->raw();
  const std::size_t size = data.size() + (message.ext ? message.ext->raw().size() : 0);
  if (size > realm.limits.message_bytes_max) {
    return batch.refuse(
        message, wire::bayeux::error_text(413, text,
                                          fmt::format("Message too large, {} bytes of {}", size,
                                                      realm.limits.message_bytes_max)));
  }
  if (!exchange_.check_backlog(realm)) {
    return batch.refuse(
        message, wire::bayeux::error_text(503, text, "Too much is being published, try again"));
  }
  // What the publisher's extensions say is for the subscribers' (spec/bayeux section 2).
  std::string ext = message.ext ? wire::json::single_line(message.ext->raw()) : std::string();
  std::vector<core::PublishItem> items(1);
  turn().spend(kPublish);
  items[0].publication = core::make_publication(realm, std::move(*channel),
                                                wire::json::single_line(data), std::move(ext));
  batch.wait_for_one_more();
  FANFARE_MAY_THROW("a publish of a client");
  exchange_.publish(batch.realm(), std::move(items),
                    [waiting = AnsweringPtr(&batch)] { waiting->one_is_done(); });
  batch.reply(accepted);
}

void Service::end(Session& session, const core::Disconnect& why) noexcept {
  turn().spend(kSession + session.subscription_count() * kName);
  LocalRealm& local = this->local(session.realm());
  session.FreshHook::unlink();
  const auto neighbours = local.neighbours.find(&session.address());
  if (--neighbours->second->count == 0) local.neighbours.erase(neighbours);
  const auto found = local.sessions.find(session.id());
  const std::unique_ptr<Session> last = std::move(found->second);
  local.sessions.erase(found);
  last->release_held(why);
  last->end_outlet(why);
}

void Service::release_all() noexcept {
  departures_.depart_all();
  for (auto& [id, realm] : realms_) {
    for (auto& [session_id, session] : realm->sessions) session->answer_early();
  }
}

void Service::clear() {
  while (!waiting_.empty()) waiting_.front().abandon();
  departures_.clear();
  realms_.clear();
}

}  // namespace fanfare::protocol::bayeux
