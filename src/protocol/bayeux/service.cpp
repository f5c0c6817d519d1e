#include "protocol/bayeux/service.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>
#include <vector>

#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <fmt/format.h>

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

// Sends between two looks at the sockets, some 0.7 ms of them: a newcomer must not wait for all
// 10,000 subscribers of a channel.
constexpr std::size_t kFlushesPerTurn = 128;
// Where there are so many that a single publication takes more than that.
constexpr std::size_t kFlushesPerTurnMax = 2048;
// A send takes the time of so many offers.
constexpr std::size_t kOffersPerFlush = 64;
// Turns in which publications may come in before the first of them leave.
constexpr int kTurnsWaitedMax = 32;

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

struct Service::LocalRealm {
  core::RealmPtr realm;
  boost::unordered_flat_map<SessionId, std::unique_ptr<Session>, SessionId::Hash> sessions;
  // Never holds a zero. The keys are hashes already.
  boost::unordered_flat_map<std::uint64_t, std::size_t> sessions_by_network;
};

/// One array of messages on its way to one array of replies. It is answered when the last of the
/// messages is; some wait for other workers.
class Service::Batch : public boost::intrusive_ref_counter<Batch, boost::thread_unsafe_counter> {
 public:
  Batch(Service& service, core::RealmPtr realm, CallerPtr caller, std::size_t size)
      : service_(service), realm_(std::move(realm)), caller_(std::move(caller)), size_(size) {}

  [[nodiscard]] const core::RealmPtr& realm() const noexcept { return realm_; }
  [[nodiscard]] Outlet* outlet() const noexcept { return caller_->outlet(); }
  [[nodiscard]] std::string peer_network() const { return caller_->peer_network(); }
  /// Over HTTP a connect that shares its request is answered with the others (rule R17).
  [[nodiscard]] bool may_hold() const noexcept { return outlet() != nullptr || size_ == 1; }

  /// Room for one more element of the answer.
  std::string& element() {
    if (!elements_.empty()) elements_ += ',';
    return elements_;
  }
  void reply(const Reply& reply) { wire::bayeux::append_reply(element(), reply); }
  /// The reply `to` that message, unsuccessful.
  void refuse(const Message& message, const std::string& error, std::optional<Advice> advice = {}) {
    Reply reply{.id = message.id.is_given() ? message.id.text : std::string_view(),
                .channel = message.channel.text,
                .is_successful = false,
                .subscription = message.subscription.raw,
                .advice = advice,
                .error = error};
    this->reply(reply);
  }
  void refuse(const Message& message, Problem problem, std::string_view argument,
              std::optional<Advice> advice = {}) {
    refuse(message, wire::bayeux::error_text(dialect(*realm_), problem, argument), advice);
  }

  /// The answer is to bring what waits for this session.
  void deliver_to(const SessionId& session) { delivers_to_ = session; }

  /// The caller is not to be answered by the batch: it is held, as the session's connect.
  CallerPtr take_caller() { return std::move(caller_); }

  void wait_for_one_more() { ++open_; }
  void one_is_done() {
    if (--open_ > 0 || !caller_) return;
    Deliveries deliveries;
    if (outlet() != nullptr) {
      outlet()->flush_sessions();
    } else if (delivers_to_) {
      Session* const session = service_.find(*realm_, *delivers_to_);
      if (session != nullptr && !session->has_outlet()) {
        deliveries = {session->take_bundle(), session->id()};
        if (deliveries.bundle) session->answered_by(caller_);
      }
    }
    std::exchange(caller_, nullptr)->answer(elements_, deliveries);
  }

 private:
  Service& service_;
  core::RealmPtr realm_;
  CallerPtr caller_;
  std::size_t size_;
  std::string elements_;
  std::optional<SessionId> delivers_to_;
  std::size_t open_ = 1;  // the walk over the messages itself
};

Service::Service(core::Exchange& exchange, base::TimerWheel& timers, const base::Clock& clock,
                 const ServiceLimits& limits)
    : exchange_(exchange),
      timers_(timers),
      clock_(clock),
      parser_(limits.json_depth_max),
      queued_bytes_max_(limits.queued_bytes_max) {}

Service::~Service() = default;

Service::LocalRealm& Service::local(const core::RealmPtr& realm) {
  auto& slot = realms_[realm->id.value()];
  if (!slot) slot = std::make_unique<LocalRealm>(LocalRealm{realm, {}, {}});
  return *slot;
}

base::Result<std::span<const Message>> Service::parse(const core::Realm& realm,
                                                      std::string_view text) {
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

Session* Service::find(const core::Realm& realm, const SessionId& id) {
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
  const boost::intrusive_ptr<Batch> batch(
      new Batch(*this, realm, std::move(caller), messages.size()));
  for (const Message& message : messages) handle_one(*batch, message);
  batch->one_is_done();
}

void Service::handle_one(Batch& batch, const Message& message) {
  if (message.id.given == wire::bayeux::Given::wrongly)
    return batch.refuse(message, Problem::id_invalid, {});
  const std::string_view channel = message.channel.text;
  if (message.channel.given == wire::bayeux::Given::no)
    return batch.refuse(message, Problem::channel_missing, {});
  if (!message.channel.is_given()) return batch.refuse(message, Problem::channel_invalid, {});
  // Meta channels match by exact string: "/meta/subscribe/x" is none of them.
  if (channel == "/meta/handshake") return handshake(batch, message);
  using Handler = void (Service::*)(Batch&, const Message&, Session&);
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
      (this->*handler)(batch, message, *session);
    return;
  }
  publish(batch, message);
}

/// The session that a meta message names; without one the message is refused here.
Session* Service::session_of(Batch& batch, const Message& message) {
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
  if (batch.outlet() != nullptr) session->bind(*batch.outlet());
  return session;
}

void Service::handshake(Batch& batch, const Message& message) {
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
  auto& [its_realm, sessions, sessions_by_network] = local(batch.realm());
  if (sessions.size() >= realm.limits.sessions_max) {
    return refuse(wire::bayeux::error_text(503, {}, "Too many sessions, sessions_max is reached"),
                  {});
  }
  const std::uint64_t network = base::keyed_hash(batch.peer_network());
  std::size_t& neighbours = sessions_by_network[network];
  if (neighbours >= realm.limits.sessions_per_address_max) {
    return refuse(
        wire::bayeux::error_text(503, {}, "Too many sessions, sessions_per_address_max is reached"),
        {});
  }
  ++neighbours;

  const SessionId id = SessionId::make(exchange_.self());
  Session& session = *(sessions[id] = std::make_unique<Session>(*this, batch.realm(), id, network));
  if (Outlet* const outlet = batch.outlet()) {
    // The client begins anew: with its old session there, all would come twice. (Not while a frame
    // is half written: leaving would break the connection.)
    if (!outlet->is_congested()) {
      outlet->supersede_all();
      outlet->leave_all();
    }
    session.bind(*outlet);
  }
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

void Service::connect(Batch& batch, const Message& message, Session& session) {
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

void Service::answer_connect(Batch& batch, const Message& message, Session& session,
                             const TimeSync* time_sync) {
  core::BundlePtr bundle;
  if (session.is_acknowledged()) {
    // The reply numbers what leaves with it, so that has to be settled now.
    bundle = session.take_bundle();
    if (bundle) append_deliveries(batch.element(), *bundle);
  } else if (batch.outlet() == nullptr) {
    batch.deliver_to(session.id());
  }
  session.append_connect_reply(batch.element(), message.id.text, time_sync, bundle);
}

void Service::subscribe(Batch& batch, const Message& message, Session& session) {
  const std::string client_id = session.id().text();
  const core::Realm& realm = *batch.realm();
  const auto& subscription = message.subscription;
  if (const auto error = problem_with_names(message, realm); !error.empty())
    return batch.refuse(message, error);

  // All or none: first every name is looked at, then all are applied.
  std::vector<core::ChannelPattern> wanted;
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
    const bool is_named_twice =
        std::ranges::find(wanted, name, &core::ChannelPattern::text) != wanted.end();
    if (!is_named_twice && session.find_subscription(name) == nullptr) {
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
  for (const core::ChannelPattern& pattern : wanted) {
    batch.wait_for_one_more();
    session.add_subscription(exchange_.subscribe(
        batch.realm(), pattern, session,
        [waiting = boost::intrusive_ptr<Batch>(&batch)] { waiting->one_is_done(); }));
  }
  batch.reply(Reply{.id = message.id.text,
                    .client_id = client_id,
                    .channel = message.channel.text,
                    .subscription = subscription.raw});
}

void Service::unsubscribe(Batch& batch, const Message& message, Session& session) {
  const auto& subscription = message.subscription;
  if (const auto error = problem_with_names(message, *batch.realm()); !error.empty())
    return batch.refuse(message, error);
  const core::ChannelRules rules = core::channel_rules(*batch.realm());
  for (const std::string_view name : subscription.names) {
    const auto pattern = core::ChannelPattern::parse(name, rules);
    if (!pattern) return batch.refuse(message, Problem::channel_invalid, name);
    if (is_within(pattern->base(), "/meta"))
      return batch.refuse(message, Problem::channel_forbidden, name);
  }
  for (const std::string_view name : subscription.names) session.remove_subscription(name);
  const std::string client_id = session.id().text();
  batch.reply(Reply{.id = message.id.text,
                    .client_id = client_id,
                    .channel = message.channel.text,
                    .subscription = subscription.raw});
}

void Service::disconnect(Batch& batch, const Message& message, Session& session) {
  const std::string client_id = session.id().text();
  // The held connect is answered first, on its own transport (rule R26).
  end(session, core::kDisconnected);
  batch.reply(
      Reply{.id = message.id.text, .client_id = client_id, .channel = message.channel.text});
}

void Service::publish(Batch& batch, const Message& message) {
  const core::Realm& realm = *batch.realm();
  const std::string_view text = message.channel.text;
  const auto id =
      message.client_id.is_given() ? SessionId::parse(message.client_id.text) : std::nullopt;
  Session* const session = id ? find(realm, *id) : nullptr;
  if (session != nullptr) {
    session->touch();
    if (batch.outlet() != nullptr) session->bind(*batch.outlet());
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
  if (!exchange_.check_backlog()) {
    return batch.refuse(
        message, wire::bayeux::error_text(503, text, "Too much is being published, try again"));
  }
  // What the publisher's extensions say is for the subscribers' (spec/bayeux section 2).
  std::string ext = message.ext ? wire::json::single_line(message.ext->raw()) : std::string();
  std::vector<core::PublishItem> items(1);
  items[0].publication = std::make_shared<core::Publication>(
      core::Publication{std::move(*channel), wire::json::single_line(data), std::move(ext)});
  batch.wait_for_one_more();
  exchange_.publish(batch.realm(), std::move(items),
                    [waiting = boost::intrusive_ptr<Batch>(&batch)] { waiting->one_is_done(); });
  batch.reply(accepted);
}

void Service::end(Session& session, const core::Disconnect& why) {
  auto& [its_realm, sessions, sessions_by_network] = local(session.realm());
  const auto neighbours = sessions_by_network.find(session.network());
  if (--neighbours->second == 0) sessions_by_network.erase(neighbours);
  const auto found = sessions.find(session.id());
  const std::unique_ptr<Session> last = std::move(found->second);
  sessions.erase(found);
  last->release_held(why);
  last->end_outlet(why);
}

void Service::release_all() {
  while (!dirty_.empty()) dirty_.front().flush();
  for (auto& [id, realm] : realms_) {
    for (auto& [session_id, session] : realm->sessions) session->answer_early();
  }
}

void Service::clear() {
  realms_.clear();
}

void Service::mark_dirty(Session& session) {
  dirty_.push_back(session);
  flush_later();
}

void Service::flush_later() {
  if (std::exchange(flush_is_due_, true)) return;
  exchange_.at_turn_end([this] { flush_some(); });
}

void Service::flush_some() {
  flush_is_due_ = false;
  const core::Intake& intake = exchange_.intake();
  // Publications that came together leave together, if they can come in within a few turns.
  if (!is_leaving_ && intake.is_crowded() && turns_waited_++ < kTurnsWaitedMax) {
    return flush_later();
  }
  turns_waited_ = 0;
  // Deliveries leave as fast as publications come in.
  const std::size_t flushes =
      std::clamp(intake.offers() / kOffersPerFlush, kFlushesPerTurn, kFlushesPerTurnMax);
  for (std::size_t i = 0; i < flushes && !dirty_.empty(); ++i) dirty_.front().flush();
  if (queued_bytes_ > queued_bytes_max_) shed_queues();
  is_leaving_ = !dirty_.empty();
  if (!is_leaving_) return bundles_.reset();
  flush_later();
}

/// Ends the sessions that hold most, down to nine tenths of the limit, so that this look at all
/// sessions comes seldom.
void Service::shed_queues() {
  std::vector<Session*> holders;
  for (auto& [realm_id, realm] : realms_) {
    for (auto& [id, session] : realm->sessions) {
      if (session->queued_bytes() > 0) holders.push_back(session.get());
    }
  }
  std::ranges::sort(holders, std::ranges::greater(), &Session::queued_bytes);
  for (Session* const session : holders) {
    if (queued_bytes_ <= queued_bytes_max_ / 10 * 9) return;
    end(*session, core::kSlowConsumer);
  }
}

}  // namespace fanfare::protocol::bayeux
