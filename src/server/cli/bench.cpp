#include <algorithm>
#include <array>
#include <cstdio>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/units.hpp"
#include "server/cli/bench_plan.hpp"
#include "server/cli/bench_protocol.hpp"
#include "server/cli/bench_publication.hpp"
#include "server/cli/bench_report.hpp"
#include "server/cli/bench_run.hpp"
#include "server/cli/commands.hpp"
#include "server/cli/console.hpp"
#include "server/cli/realms.hpp"
#include "server/cli/server_address.hpp"
#include "server/cli/system_limits.hpp"
#include "server/config.hpp"

namespace fanfare::server::cli {
namespace {

using base::Done;
using base::Errc;
using base::Error;
using base::Result;
using base::Status;
using bench::Place;
using bench::Plan;
using bench::Protocol;
using bench::Transport;
using std::chrono::milliseconds;

constexpr const char* kHelp = R"help(Usage: fanfare bench [OPTIONS]

Puts a server under load and measures it: connects subscribers, publishes to
them, and counts what arrives, how late, and what it costs the server. Give it a
server of its own, not the one that your visitors use.

Where:
  --url URL            The server. With a path, that is its Bayeux endpoint.
                       Default: http://127.0.0.1:8400
  --realm ID, --key KEY, --data DIR
                       As for `fanfare publish`
  --protocol NAME      fanfare; bayeux for Faye, CometD and the like; or plain,
                       nats, socketio (to compare; see bench/). Default: fanfare
  --publish-by bayeux  The same as --protocol bayeux
  --publish-url URL    When publishers have to go elsewhere
  --transport NAME     websocket or long-poll. Default: websocket
  --server-pid PID     To measure its CPU time and memory; may be repeated

Load:
  --subscribers N      Default: 1000
  --channels N         Default: 1. Each message goes to one of them at random.
  --subscriptions N    Channels of each subscriber. Default: 1
  --patterns           Every second subscription is a pattern, /12/* for /12/x
  --publishers N       Default: 1
  --in-flight N        Messages of one publisher on their way at once. Default: 1
  --lockstep           A message is on its way until every subscriber has it; else
                       until the server has answered the publish.
  --payload BYTES      Default: 128
  --rate N             Messages a second of all publishers. Default: flat out
  --messages N         End after N messages, or
  --duration TIME      after that time. Default: 10s
  --warm-up TIME       Publish for so long before measuring. Default: 0s
  --slow N             Further subscribers that never read
  --probe              Newcomers connect meanwhile: how long does it take them?
  --threads N          Of this program. Default: 1

Instead of publishing:
  --connects           Only connect, shake hands and subscribe
  --idle TIME          Only that, and then wait: memory and CPU of an idle server

  --json               Print numbers as JSON
  -h, --help           This text.

The exit code is 0 when everything arrived, once and in order.

Examples:
  fanfare bench --subscribers 10000 --lockstep --server-pid $(pidof fanfare)
  fanfare bench --publishers 16 --in-flight 4 --rate 500 --duration 60s
  fanfare bench --url http://127.0.0.1:8000/faye --protocol bayeux
)help";

struct BenchFlags {
  std::string url = kDefaultUrl;
  std::optional<std::string> publish_url;
  std::optional<std::string> realm;
  std::optional<std::string> key;
  std::string data = Config{}.data_dir;
  std::string protocol = "fanfare";
  std::string publish_by;
  std::string transport = "websocket";
  std::string duration = "10s";
  std::string warm_up = "0s";
  std::optional<std::string> idle;
  Plan plan;
};

/// `http://host:port/path`, the last two perhaps absent.
Result<Place> read_place(const std::string& url) {
  constexpr std::string_view kScheme = "http://";
  std::string_view rest = url;
  if (!rest.starts_with(kScheme)) {
    return Error{Errc::invalid,
                 fmt::format("{}: this wants a URL that starts with {} (TLS would measure itself)",
                             url, kScheme)};
  }
  rest.remove_prefix(kScheme.size());
  Place place;
  const auto slash = std::min(rest.find('/'), rest.size());
  place.path = base_url(rest.substr(slash));
  rest = rest.substr(0, slash);
  const auto colon = rest.rfind(':');
  const bool has_port = colon != std::string_view::npos && rest.find(']', colon) == rest.npos;
  place.port = has_port ? rest.substr(colon + 1) : "80";
  place.host = rest.substr(0, has_port ? colon : rest.size());
  std::string name = place.host;
  if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
  auto address = bench::look_up(name, place.port);
  if (!address) return std::move(address.error());
  place.address = *address;
  return place;
}

template <typename Value, std::size_t kCount>
using Names = std::array<std::pair<std::string_view, Value>, kCount>;

template <typename Value, std::size_t kCount>
Result<Value> read_name(std::string_view option, std::string_view text,
                        const Names<Value, kCount>& names) {
  std::string all;
  for (const auto& [name, value] : names) {
    if (name == text) return value;
    all += fmt::format("{}{}", all.empty() ? "" : ", ", name);
  }
  return Error{Errc::invalid, fmt::format("{} is one of: {}", option, all)};
}

Status read_what(BenchFlags& flags) {
  constexpr Names<Protocol, 5> kProtocols{{{"fanfare", Protocol::fanfare},
                                           {"bayeux", Protocol::bayeux},
                                           {"plain", Protocol::plain},
                                           {"nats", Protocol::nats},
                                           {"socketio", Protocol::socketio}}};
  constexpr Names<Transport, 2> kTransports{
      {{"websocket", Transport::websocket}, {"long-poll", Transport::long_poll}}};
  constexpr Names<Protocol, 2> kPublishBy{
      {{"http", Protocol::fanfare}, {"bayeux", Protocol::bayeux}}};

  Plan& plan = flags.plan;
  const auto protocol = read_name("--protocol", flags.protocol, kProtocols);
  if (!protocol) return protocol.error();
  plan.protocol = *protocol;
  if (!flags.publish_by.empty()) {
    const auto by = read_name("--publish-by", flags.publish_by, kPublishBy);
    if (!by) return by.error();
    plan.protocol = *by;
  }
  const auto transport = read_name("--transport", flags.transport, kTransports);
  if (!transport) return transport.error();
  plan.transport = *transport;
  return Done{};
}

Status read_times(BenchFlags& flags) {
  const auto duration = base::parse_duration(flags.duration);
  if (!duration) return Error{Errc::invalid, "--duration: " + duration.error().detail};
  flags.plan.duration = *duration;
  // A number of messages is an end of its own.
  if (flags.plan.messages) flags.plan.duration = std::chrono::hours(24);
  const auto warm_up = base::parse_duration(flags.warm_up);
  if (!warm_up) return Error{Errc::invalid, "--warm-up: " + warm_up.error().detail};
  flags.plan.warm_up = *warm_up;
  if (!flags.idle) return Done{};
  const auto idle = base::parse_duration(*flags.idle);
  if (!idle) return Error{Errc::invalid, "--idle: " + idle.error().detail};
  flags.plan.idle = *idle;
  return Done{};
}

Status read_places(BenchFlags& flags) {
  Plan& plan = flags.plan;
  auto subscribe_at = read_place(flags.url);
  if (!subscribe_at) return std::move(subscribe_at.error());
  auto publish_at = read_place(flags.publish_url.value_or(flags.url));
  if (!publish_at) return std::move(publish_at.error());
  plan.subscribe_at = std::move(*subscribe_at);
  plan.publish_at = std::move(*publish_at);
  if (plan.protocol != Protocol::fanfare && plan.protocol != Protocol::bayeux) return Done{};

  const auto realm = find_realm_name(flags.realm);
  for (Place* place : {&plan.subscribe_at, &plan.publish_at}) {
    if (place->path.empty()) place->path = (realm ? "/r/" + *realm : "") + "/bayeux";
  }
  if (plan.protocol == Protocol::bayeux || !plan.publishes()) return Done{};
  auto credentials = find_credentials(flags.realm, flags.key, flags.data);
  if (!credentials) return std::move(credentials.error());
  plan.credentials = std::move(*credentials);
  return Done{};
}

Status check(const Plan& plan) {
  const bool has_polls = plan.protocol == Protocol::fanfare || plan.protocol == Protocol::bayeux ||
                         plan.protocol == Protocol::plain;
  if (plan.transport == Transport::long_poll && !has_polls) {
    return Error{Errc::invalid,
                 fmt::format("{} is measured over websocket only", bench::name_of(plan.protocol))};
  }
  const bool has_lists = plan.protocol != Protocol::plain && plan.protocol != Protocol::socketio;
  if (plan.subscriptions > 1 && !has_lists) {
    return Error{Errc::invalid,
                 fmt::format("a {} subscriber has one channel", bench::name_of(plan.protocol))};
  }
  const bool has_patterns = plan.protocol == Protocol::fanfare || plan.protocol == Protocol::bayeux;
  if (plan.patterns && !has_patterns) {
    return Error{Errc::invalid,
                 fmt::format("{} is measured without --patterns", bench::name_of(plan.protocol))};
  }
  if (plan.subscriptions > plan.channels) {
    return Error{Errc::invalid, "--subscriptions is more than there are --channels"};
  }
  if (plan.messages && *plan.messages < plan.publishers) {
    return Error{Errc::invalid, "--messages is less than one for each of the --publishers"};
  }
  return Done{};
}

Status make_plan(BenchFlags& flags) {
  for (const auto step : {read_what, read_times, read_places}) {
    if (auto status = step(flags); !status) return status;
  }
  flags.plan.shows_progress = ::isatty(::fileno(stderr)) == 1;
  return check(flags.plan);
}

int run_bench(BenchFlags& flags) {
  raise_open_files_limit();
  if (const auto status = make_plan(flags); !status) return fail(status.error().detail);
  const Plan& plan = flags.plan;
  const auto report = bench::run(plan, [&plan](const bench::Moment& moment) {
    if (!plan.shows_progress) return;
    // Over the last one, and what was left of it.
    fmt::print(stderr, "\r{}\033[K", bench::progress_line(plan, moment));
  });
  if (plan.shows_progress) fmt::print(stderr, "\r\033[K");
  if (!report) return fail(report.error().detail);
  print(plan.as_json ? bench::as_json(plan, *report) : bench::as_text(plan, *report));
  return report->is_clean() ? 0 : 1;
}

void add_load_options(CLI::App& command, Plan& plan) {
  constexpr std::size_t kMany = 1'000'000;
  const auto count = [&](const char* name, std::size_t& value, std::size_t min, std::size_t max) {
    command.add_option(name, value)->check(CLI::Range(min, max));
  };
  count("--subscribers", plan.subscribers, 0, kMany);
  count("--channels", plan.channels, 1, bench::kChannelsMax - 1);
  count("--subscriptions", plan.subscriptions, 1, kMany);
  count("--publishers", plan.publishers, 1, 10'000);
  count("--in-flight", plan.in_flight, 1, 65'536);
  count("--payload", plan.payload_bytes, bench::kPayloadBytesMin, kMany);
  count("--slow", plan.slow, 0, kMany);
  count("--threads", plan.threads, 1, 256);
  command.add_option("--rate", plan.rate)->check(CLI::Range(0.001, 1e7));
  // Messages are numbered with 32 bits.
  command.add_option("--messages", plan.messages)
      ->check(
          CLI::Range(std::uint64_t{1}, std::uint64_t{std::numeric_limits<std::uint32_t>::max()}));
  command.add_flag("--lockstep", plan.lockstep);
  command.add_flag("--probe", plan.probes);
  command.add_flag("--patterns", plan.patterns);
}

}  // namespace

void add_bench(CLI::App& program, Command& chosen) {
  auto* command = program.add_subcommand("bench");
  command->formatter_fn([](const auto*, const auto&, auto) { return kHelp; });
  const auto flags = std::make_shared<BenchFlags>();
  command->add_option("--url", flags->url);
  command->add_option("--publish-url", flags->publish_url);
  command->add_option("--realm", flags->realm);
  command->add_option("--key", flags->key);
  command->add_option("--data", flags->data);
  command->add_option("--protocol", flags->protocol);
  command->add_option("--publish-by", flags->publish_by);
  command->add_option("--transport", flags->transport);
  command->add_option("--server-pid", flags->plan.server_pids);
  add_load_options(*command, flags->plan);
  auto* duration = command->add_option("--duration", flags->duration);
  duration->excludes("--messages");
  command->add_option("--warm-up", flags->warm_up);
  auto* connects = command->add_flag("--connects", flags->plan.only_connects);
  command->add_option("--idle", flags->idle)->excludes(connects);
  command->add_flag("--json", flags->plan.as_json);
  command->callback([flags, &chosen] { chosen = [flags] { return run_bench(*flags); }; });
}

}  // namespace fanfare::server::cli
