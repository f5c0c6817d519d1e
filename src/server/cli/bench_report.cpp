#include "server/cli/bench_report.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "wire/json/json.hpp"

namespace fanfare::server::cli::bench {
namespace {

constexpr double kMillion = 1e6;

/// 1234567 → "1,234,567".
std::string grouped(std::uint64_t number) {
  std::string text = fmt::format("{}", number);
  for (auto at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

std::string grouped(double number) {
  return grouped(static_cast<std::uint64_t>(std::max(0.0, number) + 0.5));
}

std::string time_text(std::uint64_t nanoseconds) {
  const auto ns = static_cast<double>(nanoseconds);
  if (ns < 1e6) return fmt::format("{:.0f} µs", ns / 1e3);
  if (ns < 1e9) return fmt::format("{:.1f} ms", ns / 1e6);
  return fmt::format("{:.2f} s", ns / 1e9);
}

std::string line(std::string_view name, std::string_view value, std::string_view remark = {}) {
  return fmt::format("  {:<22}{:>16}  {}\n", name, value, remark);
}

double per(double whole, std::uint64_t parts) {
  return parts == 0 ? 0 : whole / static_cast<double>(parts);
}

double a_second(std::uint64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

double percent(double part, double whole) {
  return whole > 0 ? 100 * part / whole : 0;
}

std::string plan_text(const Plan& plan) {
  std::string text =
      fmt::format("{} subscribers ({}) on {} channels", grouped(std::uint64_t{plan.subscribers}),
                  name_of(plan.transport), grouped(std::uint64_t{plan.channels}));
  if (plan.publishes()) {
    text += fmt::format(", {} publishers with {} in flight{}, {} bytes", plan.publishers,
                        plan.in_flight, plan.lockstep ? " until all have them" : "",
                        plan.payload_bytes);
  }
  return text + "\n";
}

std::string opening_text(const OpeningReport& opening) {
  std::string text = line("subscribed", grouped(opening.subscribed),
                          fmt::format("in {:.2f} s: {} a second", opening.seconds,
                                      grouped(a_second(opening.subscribed, opening.seconds))));
  if (opening.failed > 0) text += line("could not connect", grouped(opening.failed));
  if (opening.server_cpu_seconds) {
    text +=
        line("server CPU",
             fmt::format("{:.3f} ms", per(*opening.server_cpu_seconds * 1e3, opening.subscribed)),
             "for each, from connect to subscribed");
  }
  return text;
}

std::string latency_text(const Histogram& latency) {
  return line("latency p50", time_text(latency.quantile(0.5)), "publish to receive") +
         line("        p99", time_text(latency.quantile(0.99))) +
         line("        p99.9", time_text(latency.quantile(0.999))) +
         line("        max", time_text(latency.max()));
}

std::string fanout_text(const Plan& plan, const FanoutReport& fanout) {
  std::string text =
      line("deliveries", grouped(a_second(fanout.measured(), fanout.seconds)),
           fmt::format("a second; {} in {:.2f} s", grouped(fanout.measured()), fanout.seconds)) +
      line("publishes", grouped(a_second(fanout.published_measured, fanout.seconds)),
           fmt::format("a second; {} in all", grouped(fanout.published)));
  text += latency_text(fanout.latency);
  text += line("lost", grouped(fanout.lost)) + line("doubled", grouped(fanout.doubled));
  if (fanout.reordered) text += line("reordered", grouped(*fanout.reordered));
  if (fanout.refused > 0) text += line("publishes refused", grouped(fanout.refused));
  if (fanout.unanswered > 0) text += line("publishes unanswered", grouped(fanout.unanswered));
  if (fanout.disconnected > 0) text += line("disconnected", grouped(fanout.disconnected));
  if (plan.slow > 0) {
    text += line("slow ones closed", grouped(fanout.slow_disconnected),
                 fmt::format("of {}", grouped(std::uint64_t{plan.slow})));
  }
  if (plan.probes) {
    const Histogram& newcomers = fanout.newcomers;
    text += line("newcomer p50", time_text(newcomers.quantile(0.5)),
                 fmt::format("connect to subscribed; {} of them", grouped(newcomers.count()))) +
            line("         max", time_text(newcomers.max())) +
            line("one answer max", time_text(fanout.newcomer_answers.max()),
                 "to the upgrade, the handshake or the subscribe");
    if (fanout.newcomers_unserved > 0) {
      text += line("newcomers refused", grouped(fanout.newcomers_unserved));
    }
  }
  if (fanout.server_cpu_seconds) {
    const double cpu = *fanout.server_cpu_seconds;
    text +=
        line("server CPU", fmt::format("{:.2f} s", per(cpu * kMillion, fanout.measured())),
             fmt::format("for a million deliveries; busy {:.0f} %", percent(cpu, fanout.seconds)));
  }
  return text + line("driver CPU",
                     fmt::format("{:.0f} %", percent(fanout.driver_cpu_seconds, fanout.seconds)),
                     "near 100 % for each thread, the driver is what is slow");
}

/// Members of a JSON object, one after the other.
class Members {
 public:
  void add(std::string_view name, double value) {
    // JSON has no word for what comes of a division by nothing.
    raw(name, std::isfinite(value) ? fmt::format("{:.9g}", value) : "null");
  }
  void add(std::string_view name, std::uint64_t value) { raw(name, fmt::format("{}", value)); }
  void add(std::string_view name, bool value) { raw(name, value ? "true" : "false"); }
  void text(std::string_view name, std::string_view value) { raw(name, wire::json::quoted(value)); }
  template <typename T>
  void add(std::string_view name, const std::optional<T>& value) {
    if (value) add(name, *value);
  }
  void raw(std::string_view name, std::string_view json) {
    text_ += fmt::format("{}\"{}\":{}", text_.empty() ? "" : ",", name, json);
  }
  [[nodiscard]] std::string object() const { return '{' + text_ + '}'; }

 private:
  std::string text_;
};

std::string latency_json(const Histogram& latency) {
  Members members;
  members.add("count", latency.count());
  members.add("p50_us", static_cast<double>(latency.quantile(0.5)) / 1e3);
  members.add("p99_us", static_cast<double>(latency.quantile(0.99)) / 1e3);
  members.add("p999_us", static_cast<double>(latency.quantile(0.999)) / 1e3);
  members.add("max_us", static_cast<double>(latency.max()) / 1e3);
  return members.object();
}

std::string plan_json(const Plan& plan) {
  Members members;
  members.text("protocol", name_of(plan.protocol));
  members.text("transport", name_of(plan.transport));
  members.add("subscribers", std::uint64_t{plan.subscribers});
  members.add("channels", std::uint64_t{plan.channels});
  members.add("subscriptions", std::uint64_t{plan.subscriptions});
  members.add("publishers", std::uint64_t{plan.publishers});
  members.add("in_flight", std::uint64_t{plan.in_flight});
  members.add("lockstep", plan.lockstep);
  members.add("payload_bytes", std::uint64_t{plan.payload_bytes});
  members.add("rate", plan.rate);
  members.add("slow", std::uint64_t{plan.slow});
  members.add("threads", std::uint64_t{plan.threads});
  return members.object();
}

std::string opening_json(const OpeningReport& opening) {
  Members members;
  members.add("subscribed", opening.subscribed);
  members.add("failed", opening.failed);
  members.add("seconds", opening.seconds);
  members.add("per_second", a_second(opening.subscribed, opening.seconds));
  members.add("server_cpu_seconds", opening.server_cpu_seconds);
  if (opening.server_cpu_seconds) {
    members.add("server_cpu_ms_each", per(*opening.server_cpu_seconds * 1e3, opening.subscribed));
  }
  return members.object();
}

std::string memory_json(const std::vector<MemorySample>& memory) {
  std::string list;
  for (const auto& sample : memory) {
    Members members;
    members.add("subscribers", sample.subscribers);
    members.add("resident_bytes", sample.resident_bytes);
    members.add("bytes_per_subscriber", sample.bytes_per_subscriber);
    list += (list.empty() ? "" : ",") + members.object();
  }
  return '[' + list + ']';
}

std::string fanout_json(const FanoutReport& fanout) {
  Members members;
  members.add("seconds", fanout.seconds);
  members.add("deliveries_per_second", a_second(fanout.measured(), fanout.seconds));
  members.add("published", fanout.published);
  members.add("refused", fanout.refused);
  members.add("unanswered", fanout.unanswered);
  members.add("expected", fanout.expected);
  members.add("delivered", fanout.delivered);
  members.add("lost", fanout.lost);
  members.add("doubled", fanout.doubled);
  members.add("reordered", fanout.reordered);
  members.add("disconnected", fanout.disconnected);
  members.add("slow_disconnected", fanout.slow_disconnected);
  members.raw("latency", latency_json(fanout.latency));
  members.raw("newcomers", latency_json(fanout.newcomers));
  members.raw("newcomer_answers", latency_json(fanout.newcomer_answers));
  members.add("newcomers_unserved", fanout.newcomers_unserved);
  members.add("server_cpu_seconds", fanout.server_cpu_seconds);
  if (fanout.server_cpu_seconds) {
    members.add("server_cpu_us_per_delivery",
                per(*fanout.server_cpu_seconds * kMillion, fanout.measured()));
    members.add("server_cpu_us_per_publish",
                per(*fanout.server_cpu_seconds * kMillion, fanout.published_measured));
  }
  members.add("server_resident_bytes", fanout.server_resident_bytes);
  members.add("driver_cpu_seconds", fanout.driver_cpu_seconds);
  return members.object();
}

}  // namespace

std::string_view name_of(Protocol protocol) {
  switch (protocol) {
    case Protocol::fanfare:
      return "fanfare";
    case Protocol::bayeux:
      return "bayeux";
    case Protocol::plain:
      return "plain";
    case Protocol::nats:
      return "nats";
    case Protocol::socketio:
      return "socketio";
  }
  return "";
}

std::string_view name_of(Transport transport) {
  return transport == Transport::websocket ? "websocket" : "long-poll";
}

std::string as_text(const Plan& plan, const Report& report) {
  std::string text = plan_text(plan) + opening_text(report.opening);
  for (const auto& sample : report.memory) {
    text += line("server memory", grouped(sample.bytes_per_subscriber),
                 fmt::format("bytes for each of {} subscribers", grouped(sample.subscribers)));
  }
  if (report.idle) {
    text += line(
        "idle server CPU",
        fmt::format("{:.2f} %", percent(report.idle->server_cpu_seconds, report.idle->seconds)),
        fmt::format("of a core, over {:.0f} s", report.idle->seconds));
  }
  if (report.fanout) text += fanout_text(plan, *report.fanout);
  if (!report.trouble.empty()) text += line("first trouble", "", report.trouble);
  return text;
}

std::string as_json(const Plan& plan, const Report& report) {
  Members members;
  members.raw("plan", plan_json(plan));
  members.raw("opening", opening_json(report.opening));
  members.raw("memory", memory_json(report.memory));
  if (report.idle) {
    Members idle;
    idle.add("seconds", report.idle->seconds);
    idle.add("server_cpu_seconds", report.idle->server_cpu_seconds);
    members.raw("idle", idle.object());
  }
  if (report.fanout) members.raw("fanout", fanout_json(*report.fanout));
  members.add("clean", report.is_clean());
  if (!report.trouble.empty()) members.text("trouble", report.trouble);
  return members.object() + '\n';
}

std::string progress_line(const Plan& plan, const Moment& moment) {
  switch (moment.stage) {
    case Moment::Stage::opening:
      return fmt::format("{} of {} subscribed", grouped(moment.subscribed),
                         grouped(std::uint64_t{plan.subscribers + plan.slow}));
    case Moment::Stage::idle:
      return fmt::format("idle for {:.0f} s", moment.seconds);
    case Moment::Stage::publishing:
      return fmt::format("{:.0f} s: {} deliveries, {} a second", moment.seconds,
                         grouped(moment.deliveries),
                         grouped(a_second(moment.deliveries, moment.seconds)));
  }
  return "";
}

}  // namespace fanfare::server::cli::bench
