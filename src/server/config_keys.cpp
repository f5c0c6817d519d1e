#include "server/config_keys.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace fanfare::server {
namespace {

using base::Done;
using base::Errc;
using base::Error;
using base::Result;
using base::Status;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

Error wrong(std::string detail) {
  return Error{Errc::invalid, std::move(detail)};
}

std::string toml_text(std::string_view text) {
  return fmt::format("\"{}\"", text);
}

// A text, or a list of them where several may stand.
Result<std::vector<std::string>> texts_of(const ConfigValue& value, std::string_view example) {
  if (const auto* text = std::get_if<std::string>(&value)) return std::vector{*text};
  const auto* texts = std::get_if<std::vector<std::string>>(&value);
  if (texts != nullptr && !texts->empty()) return *texts;
  return wrong(fmt::format("write a text like \"{0}\", or a list like [\"{0}\"]", example));
}

Result<std::string> text_of(const ConfigValue& value, std::string_view example) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return wrong(fmt::format("write a text, like \"{}\"", example));
  return *text;
}

std::string show_texts(const std::vector<std::string>& texts) {
  if (texts.size() == 1) return toml_text(texts.front());
  std::string list;
  for (const auto& text : texts) list += (list.empty() ? "" : ", ") + toml_text(text);
  return "[" + list + "]";
}

template <typename Number>
struct Bounds {
  Number min;
  Number max;
  [[nodiscard]] bool contain(Number number) const { return number >= min && number <= max; }
};

template <typename Target, typename Field>
ConfigKey<Target> count_key(std::string_view name, Field Target::*field,
                            Bounds<std::int64_t> bounds, std::string about) {
  const auto set = [field, bounds](Target& target, const ConfigValue& value) -> Status {
    const auto* count = std::get_if<std::int64_t>(&value);
    if (count == nullptr || !bounds.contain(*count)) {
      return wrong(fmt::format("write a whole number from {} to {}, without quotes", bounds.min,
                               bounds.max));
    }
    target.*field = static_cast<Field>(*count);
    return Done{};
  };
  const auto show = [field](const Target& target) { return fmt::to_string(target.*field); };
  return {name, std::move(about), set, show};
}

template <typename Target>
ConfigKey<Target> size_key(std::string_view name, std::size_t Target::*field,
                           Bounds<std::uint64_t> bounds, std::string about) {
  const auto set = [field, bounds](Target& target, const ConfigValue& value) -> Status {
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) return wrong("write a size with its unit, in quotes, like \"64KiB\"");
    const auto bytes = base::parse_size(*text);
    if (!bytes) return bytes.error();
    if (!bounds.contain(*bytes)) {
      return wrong(fmt::format("is {}; write a size from \"{}\" to \"{}\"", *text,
                               base::format_size(bounds.min), base::format_size(bounds.max)));
    }
    target.*field = static_cast<std::size_t>(*bytes);
    return Done{};
  };
  const auto show = [field](const Target& target) {
    return toml_text(base::format_size(target.*field));
  };
  return {name, std::move(about), set, show};
}

template <typename Target>
ConfigKey<Target> time_key(std::string_view name, milliseconds Target::*field,
                           Bounds<milliseconds> bounds, std::string about) {
  const auto set = [field, bounds](Target& target, const ConfigValue& value) -> Status {
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) return wrong("write a time with its unit, in quotes, like \"30s\"");
    const auto time = base::parse_duration(*text);
    if (!time) return time.error();
    if (!bounds.contain(*time)) {
      return wrong(fmt::format("is {}; write a time from \"{}\" to \"{}\"", *text,
                               base::format_duration(bounds.min),
                               base::format_duration(bounds.max)));
    }
    target.*field = *time;
    return Done{};
  };
  const auto show = [field](const Target& target) {
    return toml_text(base::format_duration(target.*field));
  };
  return {name, std::move(about), set, show};
}

template <typename Target>
ConfigKey<Target> switch_key(std::string_view name, bool Target::*field, std::string about) {
  const auto set = [field](Target& target, const ConfigValue& value) -> Status {
    const auto* on = std::get_if<bool>(&value);
    if (on == nullptr) return wrong("write true or false, without quotes");
    target.*field = *on;
    return Done{};
  };
  const auto show = [field](const Target& target) {
    return std::string(target.*field ? "true" : "false");
  };
  return {name, std::move(about), set, show};
}

template <typename Choice>
using Choices = std::vector<std::pair<std::string_view, Choice>>;

template <typename Target, typename Choice>
ConfigKey<Target> choice_key(std::string_view name, Choice Target::*field,
                             const Choices<Choice>& choices, std::string about) {
  const auto set = [field, choices](Target& target, const ConfigValue& value) -> Status {
    std::string names;
    for (const auto& [choice_name, choice] : choices) {
      if (value == ConfigValue(std::string(choice_name))) {
        target.*field = choice;
        return Done{};
      }
      if (!names.empty()) names += choice_name == choices.back().first ? " or " : ", ";
      names += toml_text(choice_name);
    }
    return wrong("write " + names);
  };
  const auto show = [field, choices](const Target& target) {
    const auto it = std::ranges::find(choices, target.*field, &Choices<Choice>::value_type::second);
    return toml_text(it->first);
  };
  return {name, std::move(about), set, show};
}

// ---- [server]

template <typename Item>
Status refuse_repeats(const std::vector<Item>& items, const std::vector<std::string>& texts) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (std::find(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(i), items[i]) !=
        items.begin() + static_cast<std::ptrdiff_t>(i)) {
      return wrong(fmt::format("{} is there twice; write it once", texts[i]));
    }
  }
  return Done{};
}

constexpr std::string_view kListenTable = R"({ address = "0.0.0.0:8400", proxy_protocol = true })";

Result<ListenAddress> listen_address_of(const ConfigTable& table) {
  const std::string* text = nullptr;
  bool proxy_protocol = false;
  for (const auto& [name, value] : table) {
    if (name == "address" && std::holds_alternative<std::string>(value)) {
      text = std::get_if<std::string>(&value);
    } else if (name == "proxy_protocol" && std::holds_alternative<bool>(value)) {
      proxy_protocol = std::get<bool>(value);
    } else {
      return wrong(fmt::format("'{}' is not known here, or not of its kind; write a table like {}",
                               name, kListenTable));
    }
  }
  if (text == nullptr)
    return wrong(fmt::format("has no address; write a table like {}", kListenTable));
  auto address = parse_listen_address(*text);
  if (address) address->proxy_protocol = proxy_protocol;
  return address;
}

Result<ListenAddress> listen_address_of(const std::string& text) {
  return parse_listen_address(text);
}

// Texts, tables, and both in one list.
Result<ConfigItems> listen_items_of(const ConfigValue& value) {
  if (const auto* items = std::get_if<ConfigItems>(&value)) return *items;
  const auto texts = texts_of(value, "127.0.0.1:8400");
  if (!texts) return texts.error();
  return ConfigItems(texts->begin(), texts->end());
}

Status set_listen(Config& config, const ConfigValue& value) {
  const auto items = listen_items_of(value);
  if (!items) return items.error();
  std::vector<std::pair<std::string, std::uint16_t>> fixed;  // port 0 may be there often
  std::vector<std::string> fixed_texts;
  std::vector<ListenAddress> addresses;
  for (const auto& item : *items) {
    const auto address =
        std::visit([](const auto& entry) { return listen_address_of(entry); }, item);
    if (!address) return address.error();
    addresses.push_back(*address);
    if (address->port == 0) continue;
    fixed.emplace_back(address->host, address->port);
    const auto* text = std::get_if<std::string>(&item);
    fixed_texts.push_back(text != nullptr ? *text : to_string(*address));
  }
  auto repeats = refuse_repeats(fixed, fixed_texts);
  if (repeats) config.listen = std::move(addresses);
  return repeats;
}

std::string show_listen(const Config& config) {
  std::string list;
  for (const auto& address : config.listen) {
    std::string text = toml_text(to_string(address));
    if (address.proxy_protocol)
      text = fmt::format("{{ address = {}, proxy_protocol = true }}", text);
    if (config.listen.size() == 1) return text;
    list += (list.empty() ? "" : ", ") + text;
  }
  return "[" + list + "]";
}

Status set_trusted_proxies(Config& config, const ConfigValue& value) {
  const bool is_none = value == ConfigValue(std::vector<std::string>{});
  const auto texts = is_none ? Result(std::vector<std::string>{}) : texts_of(value, "127.0.0.1");
  if (!texts) return texts.error();
  std::vector<base::IpNetwork> networks;
  for (const auto& text : *texts) {
    const auto network = base::IpNetwork::parse(text);
    if (!network) return network.error();
    networks.push_back(*network);
  }
  config.trusted_proxies = std::move(networks);
  return Done{};
}

std::string show_trusted_proxies(const Config& config) {
  std::vector<std::string> texts;
  for (const auto& network : config.trusted_proxies) texts.push_back(network.text());
  return show_texts(texts);
}

Status set_data(Config& config, const ConfigValue& value) {
  const auto text = text_of(value, "./fanfare-data");
  if (!text) return text.error();
  if (text->empty()) return wrong("is empty; write the name of a directory");
  config.data_dir = *text;
  return Done{};
}

Status set_static(Config& config, const ConfigValue& value) {
  const auto text = text_of(value, "./public");
  if (!text) return text.error();
  std::error_code failure;
  if (!std::filesystem::is_directory(*text, failure)) {
    return wrong(fmt::format("'{}' is not a directory; write one that is there", *text));
  }
  config.static_dir = *text;
  return Done{};
}

bool is_domain_letter(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '-' ||
         letter == '_' || letter == '.';
}

bool is_domain(std::string_view text) {
  return !text.empty() && text.size() <= 253 && text.front() != '.' && text.back() != '.' &&
         text.find("..") == std::string_view::npos &&
         std::all_of(text.begin(), text.end(), is_domain_letter);
}

Status set_domain(Config& config, const ConfigValue& value) {
  const auto texts = texts_of(value, "push.example.com");
  if (!texts) return texts.error();
  std::vector<std::string> domains;
  for (const auto& text : *texts) {
    domains.push_back(to_lower(text));
    if (is_domain(domains.back())) continue;
    return wrong(fmt::format(
        "'{}' is not a domain; write it without scheme, port or path, like \"push.example.com\"",
        text));
  }
  auto repeats = refuse_repeats(domains, *texts);
  if (repeats) config.domains = std::move(domains);
  return repeats;
}

Status set_demo(Config& config, const ConfigValue& value) {
  const auto* on = std::get_if<bool>(&value);
  if (on == nullptr) return wrong("write true or false, without quotes");
  config.demo = *on;
  return Done{};
}

std::string show_demo(const Config& config) {
  if (!config.demo) return toml_text("");
  return *config.demo ? "true" : "false";
}

std::vector<ConfigKey<Config>> make_server_keys() {
  using base::log::Level;
  ConfigKey<Config> workers =
      count_key("workers", &Config::workers, {1, kWorkersMax},
                "Threads that hold connections. Without this key: one per processor.");
  workers.example = "4";
  return {
      {"listen",
       "Where to listen: one address and port, or a list of them. Use \"0.0.0.0:8400\" and "
       "\"[::]:8400\" for every interface, and port 0 for any free port. In the list may also "
       "stand { address = \"0.0.0.0:8400\", proxy_protocol = true }: there only `trusted_proxies` "
       "may connect, and each says in front of a connection whose it is (HAProxy's PROXY protocol, "
       "version 1 or 2).",
       set_listen, show_listen},
      {"trusted_proxies",
       "The proxies in front of fanfare: addresses and networks, like [\"127.0.0.1\", "
       "\"10.0.0.0/8\"]. Whom they name in `Forwarded`, or where that is absent in "
       "`X-Forwarded-For`, is the visitor whom the limits per address count; without this key all "
       "that come through a proxy are one. Trust only a proxy that writes one of the two fields "
       "and drops the other, or visitors could make addresses up.",
       set_trusted_proxies, show_trusted_proxies},
      {"data",
       "The directory in which fanfare keeps what must survive a restart: realms made at a first "
       "start, with their keys. Made when it is needed, readable by its owner only.",
       set_data, [](const Config& config) { return toml_text(config.data_dir); }},
      {"static",
       "A directory whose files are served under /bayeux/static/, beside the browser library that "
       "comes with fanfare; a file of the same name takes its place.",
       set_static, [](const Config& config) { return toml_text(config.static_dir.value_or("")); },
       "\"./public\""},
      std::move(workers),
      {"domain",
       "One domain, or a list of them. A browser that asks for {realm}.{domain} is in that realm; "
       "with any other host it is in the realm of its path, /r/{realm}/bayeux, or in the only "
       "realm there is.",
       set_domain, [](const Config& config) { return show_texts(config.domains); }},
      choice_key("log_level", &Config::log_level,
                 Choices<Level>{{"debug", Level::debug},
                                {"info", Level::info},
                                {"warning", Level::warning},
                                {"error", Level::error}},
                 "What is logged: \"debug\", \"info\", \"warning\" or \"error\", and all that "
                 "weighs more."),
      {"demo",
       "Whether there is a page under /demo/ to try things out, on which anybody who reaches the "
       "server may write. Without this key: only while the server listens to nobody but this "
       "machine (127.0.0.0/8 and ::1). A proxy in front reaches it too: write false there.",
       set_demo, show_demo, "true"},
  };
}

// ---- [limits]

std::vector<ConfigKey<ServerLimits>> make_server_limit_keys() {
  using L = ServerLimits;
  return {
      count_key("connections_max", &L::connections_max, {1, 10'000'000},
                "Connections open at once. Each takes a file descriptor: `fanfare check-config` "
                "says whether the system gives out that many."),
      size_key("header_bytes_max", &L::header_bytes_max, {1_KiB, 1_MiB},
               "Bytes of a request's head: its first line and its header fields."),
      time_key("header_timeout", &L::header_timeout, {seconds(1), minutes(10)},
               "From the first byte of a request to the end of its head. Ends connections that "
               "send a byte now and then."),
      size_key("body_bytes_max", &L::body_bytes_max, {4_KiB, 1024_MiB},
               "Bytes of a request's body. A batch of publications is one body."),
      count_key("json_depth_max", &L::json_depth_max, {8, 1000},
                "Arrays and objects inside each other, in any JSON that a peer sends. Deeper text "
                "is refused before it is looked at."),
      time_key("body_timeout", &L::body_timeout, {seconds(1), minutes(10)},
               "From the end of the head to the end of the body; and from the beginning of a "
               "WebSocket message to its end."),
      time_key("keep_alive_timeout", &L::keep_alive_timeout, {seconds(5), hours(24)},
               "How long an idle HTTP connection stays open. Longer than the 60 to 90 seconds "
               "after which publishing libraries and proxies drop theirs: a publication sent into "
               "a connection that is just being closed is lost."),
      size_key(
          "memory_max", &L::memory_max, {16_MiB, 1024 * 1024_MiB},
          "Memory that visitors and publishers make the server keep, in all: connections, "
          "sessions, subscriptions, what has come in part, what waits, what is being sent. "
          "Above it, those who hold most (and longest) are closed, in the realm that has most. "
          "Give it half of a small machine's memory: kernel and allocator need some too."),
      size_key(
          "address_memory_max", &L::address_memory_max, {4_MiB, 1024 * 1024_MiB},
          "The same of one address (IPv6: one /64 network). Above it, those of this address who "
          "hold most are closed; others do not notice. Behind a proxy, set trusted_proxies, or "
          "all visitors are one address."),
      count_key("connections_per_address_max", &L::connections_per_address_max, {1, 10'000'000},
                "Connections of one address on one worker. More are refused with status 503."),
      size_key("queued_bytes_max", &L::queued_bytes_max, {1_MiB, 1024 * 1024_MiB},
               "Bytes of publications that wait for clients between their requests, or until they "
               "read, over all sessions. Above it, the sessions that hold most are ended first."),
      size_key(
          "incoming_bytes_max", &L::incoming_bytes_max, {1_MiB, 1024 * 1024_MiB},
          "Bytes of bodies and WebSocket messages of which a part has come, over all "
          "connections. Above it, those who hold most of it, and longest, are sent away: status "
          "503, or close code 1013."),
      size_key("publishing_bytes_max", &L::publishing_bytes_max, {1_MiB, 1024 * 1024_MiB},
               "Bytes of publications that wait because publishers are faster than deliveries "
               "leave; half of it is the most for one realm. Above it, publishing is refused with "
               "status 503 until there is less."),
      size_key("websocket_message_bytes_max", &L::websocket_message_bytes_max, {4_KiB, 1024_MiB},
               "Bytes of one message that a browser sends over a WebSocket."),
      time_key("websocket_unused_timeout", &L::websocket_unused_timeout, {seconds(10), hours(24)},
               "How long a WebSocket may stay without a session. Faye opens one early and keeps "
               "it for later, so give it time."),
      time_key("websocket_ping_interval", &L::websocket_ping_interval, {seconds(1), hours(1)},
               "How long a WebSocket may be silent before it is pinged; after as long again, it is "
               "closed."),
  };
}

std::vector<ConfigKey<core::RealmLimits>> make_realm_limit_keys() {
  using L = core::RealmLimits;
  return {
      size_key("message_bytes_max", &L::message_bytes_max, {256, 64_MiB},
               "Bytes of one publication's data. Fanout allowed 64 KiB."),
      size_key("channel_bytes_max", &L::channel_bytes_max, {16, 4_KiB},
               "Bytes of a channel's name, or of a pattern."),
      count_key("channel_segments_max", &L::channel_segments_max, {1, 256},
                "Parts between the slashes of a channel's name. Each costs a publish one look-up."),
      count_key("batch_messages_max", &L::batch_messages_max, {1, 100'000},
                "Items of one publish request, and messages of one Bayeux request."),
      count_key("subscribe_channels_max", &L::subscribe_channels_max, {1, 100'000},
                "Channels in one subscribe message."),
      count_key("session_subscriptions_max", &L::session_subscriptions_max, {1, 1'000'000},
                "Channels and patterns of one session."),
      count_key("queue_messages_max", &L::queue_messages_max, {1, 10'000'000},
                "Publications that wait for one session between its requests. A session that "
                "loses some is ended, so that its client knows and starts anew."),
      count_key("connection_sessions_max", &L::connection_sessions_max, {1, 10'000},
                "Sessions that share one WebSocket. Faye and CometD have one."),
      size_key("realm_memory_max", &L::realm_memory_max, {4_MiB, 1024 * 1024_MiB},
               "Memory that one realm's visitors and publications take, in all. Above it, those of "
               "the realm who hold most are closed; other realms do not notice."),
      size_key("queue_bytes_max", &L::queue_bytes_max, {4_KiB, 1024_MiB},
               "Bytes that wait for one session between its requests."),
      size_key("outbox_bytes_max", &L::outbox_bytes_max, {4_KiB, 1024_MiB},
               "Bytes that wait in a connection whose peer does not read, before it is closed."),
      count_key("sessions_max", &L::sessions_max, {1, 100'000'000},
                "Sessions of one realm on one worker."),
      count_key("sessions_per_address_max", &L::sessions_per_address_max, {1, 100'000'000},
                "The same from one address (IPv6: one /64 network). High, because an office or a "
                "mobile network may be one address, and so are all visitors behind a proxy that is "
                "not among `trusted_proxies`. Above it, sessions that have never connected go "
                "first; without such, newcomers are refused."),
      count_key("channel_ids_max", &L::channel_ids_max, {1, 1'000'000},
                "Ids remembered per channel, to drop a publication that comes twice."),
      time_key("publish_id_window", &L::publish_id_window, {seconds(1), hours(24)},
               "How long those ids are remembered."),
      time_key("predecessor_wait_max", &L::predecessor_wait_max, {milliseconds(10), minutes(1)},
               "How long a publication waits for the one that its prev-id names."),
      count_key("predecessor_waiting_max", &L::predecessor_waiting_max, {1, 100'000},
                "How many of one channel may wait like that."),
  };
}

std::vector<ConfigKey<core::BayeuxTiming>> make_bayeux_keys() {
  using T = core::BayeuxTiming;
  return {
      time_key("connect_timeout", &T::connect_timeout, {seconds(1), minutes(10)},
               "How long a poll (/meta/connect) is held while there is nothing to say. Stay below "
               "the 60 seconds at which most proxies give up."),
      count_key("session_timeouts", &T::session_timeouts, {1, 100},
                "A session without a sign of life is forgotten after this many connect_timeouts."),
      time_key("handshake_timeout", &T::handshake_timeout, {seconds(1), minutes(10)},
               "A session that has not connected once is forgotten after this long without a sign "
               "of life. Clients connect as soon as they have shaken hands."),
  };
}

// ---- [[realm]]

Status set_id(core::Realm& realm, const ConfigValue& value) {
  const auto text = text_of(value, "myrealm");
  if (!text) return text.error();
  auto id = core::parse_realm_id(*text);
  if (!id) return id.error();
  realm.id = *id;
  return Done{};
}

Status set_keys_from(core::Realm& realm, const std::vector<std::string>& texts) {
  std::vector<core::RealmKey> keys;
  for (const auto& text : texts) {
    auto key = core::parse_realm_key(text);
    if (!key) {
      return wrong(key.error().detail + "; `openssl rand -base64 32` makes one");
    }
    keys.push_back(std::move(*key));
  }
  realm.keys = std::move(keys);
  return Done{};
}

Status set_key(core::Realm& realm, const ConfigValue& value) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return wrong("write one key in base64, in quotes");
  return set_keys_from(realm, {*text});
}

Status set_keys(core::Realm& realm, const ConfigValue& value) {
  const auto* texts = std::get_if<std::vector<std::string>>(&value);
  if (texts == nullptr || texts->empty() || texts->size() > 2) {
    return wrong("write a list of one or two keys in base64: [\"...\", \"...\"]");
  }
  return set_keys_from(realm, *texts);
}

std::string show_keys(const core::Realm& realm) {
  std::vector<std::string> texts;
  for (const auto& key : realm.keys) texts.push_back(key.text);
  return show_texts(texts);
}

/// In small letters, and without the port that its scheme has anyway.
std::string as_browsers_write(std::string origin) {
  std::ranges::transform(origin, origin.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  for (const auto& [scheme, port] : {std::pair{"https://", ":443"}, std::pair{"http://", ":80"}}) {
    if (origin.starts_with(scheme) && origin.ends_with(port)) {
      origin.resize(origin.size() - std::string_view(port).size());
    }
  }
  return origin;
}

Status set_allowed_origins(core::Realm& realm, const ConfigValue& value) {
  if (const auto* list = std::get_if<std::vector<std::string>>(&value); list && list->empty()) {
    realm.allowed_origins.clear();
    return Done{};
  }
  const auto texts = texts_of(value, "https://example.com");
  if (!texts) return texts.error();
  for (const auto& text : *texts) {
    const auto scheme = text.find("://");
    if (scheme == std::string::npos || text.find('/', scheme + 3) != std::string::npos) {
      return wrong(
          fmt::format("'{}' is not an origin; write scheme, host and, if it is not the "
                      "usual one, port, and nothing behind them: \"https://example.com\"",
                      text));
    }
  }
  realm.allowed_origins.clear();
  for (const auto& text : *texts) realm.allowed_origins.push_back(as_browsers_write(text));
  return Done{};
}

// The examples of keys are not base64, so that nobody runs a realm whose key stands in a manual.
std::vector<ConfigKey<core::Realm>> make_realm_keys() {
  using core::ChannelAlphabet;
  using core::Dialect;
  using core::Realm;
  return {
      {"id",
       "The realm's name: letters, digits, '-' and '_'. It stands in paths and host names, and is "
       "the `iss` of tokens.",
       set_id, [](const Realm& realm) { return toml_text(realm.id.value()); }, "\"myrealm\""},
      {"key", "The key that signs its tokens, in base64. `openssl rand -base64 32` makes one.",
       set_key, show_keys, "\"(32 random bytes in base64)\""},
      {"keys",
       "Instead of `key`: one or two keys, each of which is valid. For changing a key without a "
       "gap.",
       set_keys, show_keys, "[\"(the new one)\", \"(the old one)\"]"},
      switch_key("client_publish", &Realm::client_publish,
                 "Whether browsers may publish over Bayeux. Fanout's browsers only listened."),
      switch_key("pattern_subscribe", &Realm::pattern_subscribe,
                 "Whether browsers may subscribe to patterns, like /news/* or /**. Where names are "
                 "hard to guess, they keep uninvited listeners out only without it."),
      switch_key("anonymous_publish", &Realm::anonymous_publish,
                 "Whether anyone may publish, without a token, on channels that start with '!' or "
                 "'+'."),
      {"allowed_origins",
       "Origins whose pages may connect, each as a browser writes it: \"https://example.com\". "
       "Without this key, or with an empty list, every page may.",
       set_allowed_origins, [](const Realm& realm) { return show_texts(realm.allowed_origins); },
       "[\"https://example.com\"]"},
      switch_key("allow_missing_origin", &Realm::allow_missing_origin,
                 "Whether requests that name no origin may connect: pages of the server's own "
                 "origin, JSON-P, and clients that are no browsers."),
      choice_key("dialect", &Realm::dialect,
                 Choices<Dialect>{{"faye", Dialect::faye}, {"cometd", Dialect::cometd}},
                 "Which server the error texts follow: \"faye\" or \"cometd\"."),
      choice_key("channel_names", &Realm::channel_alphabet,
                 Choices<ChannelAlphabet>{{"strict", ChannelAlphabet::strict},
                                          {"extended", ChannelAlphabet::extended}},
                 "\"strict\" is Faye's alphabet for channel names: letters, digits and -_!~()$@. "
                 "\"extended\" adds what CometD and Salesforce users have in theirs."),
  };
}

}  // namespace

std::span<const ConfigKey<Config>> server_keys() {
  static const auto keys = make_server_keys();
  return keys;
}

std::span<const ConfigKey<ServerLimits>> server_limit_keys() {
  static const auto keys = make_server_limit_keys();
  return keys;
}

std::span<const ConfigKey<core::RealmLimits>> realm_limit_keys() {
  static const auto keys = make_realm_limit_keys();
  return keys;
}

std::span<const ConfigKey<core::BayeuxTiming>> bayeux_keys() {
  static const auto keys = make_bayeux_keys();
  return keys;
}

std::span<const ConfigKey<core::Realm>> realm_keys() {
  static const auto keys = make_realm_keys();
  return keys;
}

}  // namespace fanfare::server
