#include "amplify/generator.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "support/random.hpp"

namespace fanfare::amplify {
namespace {

using Words = std::vector<std::string>;

// What one step may come to, as text before compression; what the site may publish; and how many
// deliveries that may be. A server that is allowed 20 ms a turn is through with it in a second.
constexpr std::size_t kStepBytesMax = 6'000'000;
constexpr std::size_t kSiteBytesMax = 8'000'000;
constexpr std::size_t kDeliveriesMax = 20'000;
// Below websocket_message_bytes_max, 1 MiB, most of the time.
constexpr std::size_t kMessageBytesMax = 1'000'000;

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {
    script_.about = fmt::format("seed {}", seed);
  }

  Script make() {
    const std::size_t groups = random_.between(1, 3);
    for (std::size_t i = 0; i < groups; ++i) add_open();
    const std::size_t crowds = random_.between(0, 2);
    for (std::size_t i = 0; i < crowds; ++i) add_handshake();
    if (crowds > 0 && random_.percent(80)) add_subscribe();
    const std::size_t acts = random_.between(2, 7);
    for (std::size_t i = 0; i < acts; ++i) add_act();
    if (random_.percent(8)) add("stay");
    return std::move(script_);
  }

 private:
  struct Group {
    std::string name;
    std::size_t count;
  };

  Step& add(std::string verb) {
    script_.steps.push_back({std::move(verb), {}});
    return script_.steps.back();
  }
  /// 1, 10, 100 or 1000, or something between, up to `max`.
  std::size_t amount(std::size_t max) {
    static const std::vector<std::size_t> kRound{1, 1, 2, 10, 30, 100, 300, 1000};
    const std::size_t some = random_.percent(70) ? random_.one_of(kRound) : random_.between(1, max);
    return std::clamp<std::size_t>(some, 1, max);
  }
  std::string word(const Words& words) { return random_.one_of(words); }
  std::string realm() { return random_.percent(80) ? "loud" : "strict"; }

  void add_open() {
    static const std::vector<std::string> kNames{"a", "b", "c"};
    Group group{kNames[sockets_.size() % kNames.size()], amount(200)};
    Step& step = add("open");
    step.set("sockets", group.name).set("count", group.count);
    step.set("as", word({"http", "websocket", "deflate", "deflate"}));
    if (random_.percent(20)) step.set("realm", realm());
    if (random_.percent(20)) step.set("addresses", amount(100));
    if (random_.percent(25)) step.set("reads", std::string("no"));
    sockets_.push_back(std::move(group));
  }

  void add_handshake() {
    static const std::vector<std::string> kNames{"s", "t"};
    Group crowd{kNames[crowds_.size() % kNames.size()], amount(1000)};
    Step& step = add("handshake");
    step.set("sessions", crowd.name).set("count", crowd.count);
    if (random_.percent(50)) step.set("ack", std::string("true"));
    if (random_.percent(15)) step.set("realm", realm());
    if (random_.percent(15)) step.set("address", random_.below(20));
    crowds_.push_back(std::move(crowd));
  }

  /// So that what is published has somewhere to go.
  void add_subscribe() {
    Step& open = add("open");
    open.set("sockets", std::string("z")).set("as", std::string("http"));
    const Group& crowd = random_.one_of(crowds_);
    Step& step = add("send");
    step.set("sockets", std::string("z")).set("sessions", crowd.name);
    step.set("what", std::string("subscribe"));
    step.set("messages", std::min<std::size_t>(crowd.count, 1000))
        .set("spread", std::string("message"));
    if (random_.percent(30)) step.set("name", std::string("all"));
    subscribers_ += crowd.count;
  }

  void add_act() {
    const std::size_t dice = random_.below(100);
    if (dice < 55) return add_send();
    if (dice < 70) return add_publish();
    if (dice < 80) return add_raw();
    if (dice < 85) return add_get();
    if (dice < 88) return add_stream();
    const std::string group = random_.one_of(sockets_).name;
    if (dice < 92) {
      add("close").set("sockets", group).set("how", word({"fin", "reset", "half"}));
    } else if (dice < 96) {
      add(word({"read", "ignore"})).set("sockets", group);
    } else if (dice < 98) {
      add("settle");
    } else {
      add("wait").set("ms", random_.between(50, 800));
    }
  }

  void add_send() {
    static const Words kWhat{"handshake",
                             "connect",
                             "connect",
                             "subscribe",
                             "subscribe",
                             "unsubscribe",
                             "disconnect",
                             "publish",
                             "service",
                             "unknown",
                             "rubbish",
                             "tiny",
                             "stranger",
                             "deep",
                             "digits",
                             "escapes",
                             "number",
                             "subscribe,unsubscribe",
                             "connect,subscribe",
                             "disconnect,handshake",
                             "subscribe,connect,tiny",
                             "publish,subscribe"};
    const Group& group = random_.one_of(sockets_);
    Step& step = add("send");
    step.set("sockets", group.name);
    const std::string what = word(kWhat);
    if (!crowds_.empty()) {
      const Group& crowd = random_.one_of(crowds_);
      step.set("sessions", crowd.name);
      if (what.find("subscribe") != std::string::npos) subscribers_ += crowd.count;
    }
    step.set("what", what);
    step.set("messages", amount(1000)).set("times", amount(1000));
    if (what.find("subscribe") != std::string::npos) add_names(step);
    if (what.find("connect") != std::string::npos) add_connect(step);
    if (random_.percent(30)) step.set("size", amount(1000) * (random_.percent(20) ? 60 : 1));
    if (random_.percent(50)) step.set("spread", word({"message", "frame"}));
    if (random_.percent(10)) step.set("array", std::string("no"));
    if (random_.percent(20)) step.set("wrap", word({"form", "jsonp", "text", "chunked"}));
    if (random_.percent(15)) step.set("fragments", amount(1000));
    if (random_.percent(10)) step.set("half", std::string("yes"));
    if (random_.percent(15)) step.set("sync", std::string("yes"));
    fit(step, group.count);
    if (what.find("publish") != std::string::npos || what == "deep" || what == "digits" ||
        what == "escapes")
      fit_deliveries(step, {"times", "messages"}, group.count);
  }

  void add_names(Step& step) {
    step.set("names", amount(100));
    if (random_.percent(50)) step.set("at", random_.below(1000));
    if (random_.percent(40)) step.set("shift", amount(100));
    if (random_.percent(30))
      step.set("name", word({"long", "star", "stars", "all", "service", "meta"}));
  }

  void add_connect(Step& step) {
    if (random_.percent(60)) step.set("timeout", word({"0", "0", "30000", "99999999999"}));
    if (random_.percent(40))
      step.set("type", word({"long-polling", "eventsource", "carrier-pigeon"}));
    if (random_.percent(40)) step.set("ack", word({"true", "false", "1", "999999", "{}", "[1]"}));
  }

  /// Makes the counts smaller until the step is small enough.
  void fit(Step& step, std::size_t sockets) {
    const std::size_t each =
        60 + step.number("size", 16) +
        step.number("names", 0) * (step.text("name") == "long" ? 258 : 8) +
        (step.text("what").find("escapes") == 0 ? 5 * step.number("size", 16) : 0);
    const std::size_t spelled = step.text("wrap") == "chunked"                     ? 6
                                : step.text("wrap") == "text" || !step.has("wrap") ? 1
                                                                                   : 2;
    const auto messages = [&] { return step.number("messages", 1); };
    const auto times = [&] { return step.number("times", 1); };
    while (messages() > 1 && messages() * each * spelled > kMessageBytesMax)
      step.set("messages", messages() / 2);
    while (times() > 1 && times() * messages() * each * spelled * sockets > kStepBytesMax)
      step.set("times", times() / 2);
    while (messages() > 1 && messages() * each * spelled * sockets > kStepBytesMax)
      step.set("messages", messages() / 2);
    if (each * spelled * sockets > kStepBytesMax) step.set("size", 16).set("names", 1);
  }

  /// The same for what the sessions will be sent.
  void fit_deliveries(Step& step, const Words& counts, std::size_t factor) {
    const auto deliveries = [&] {
      std::size_t all = factor * std::max<std::size_t>(1, subscribers_);
      for (const std::string& count : counts) all *= step.number(count, 1);
      return all;
    };
    for (const std::string& count : counts) {
      while (step.number(count, 1) > 1 && deliveries() > kDeliveriesMax)
        step.set(count, step.number(count, 1) / 2);
    }
  }

  void add_publish() {
    Step& step = add("publish");
    if (random_.percent(20)) step.set("realm", realm());
    step.set("times", amount(100)).set("items", amount(1000));
    step.set("size", std::min<std::size_t>(amount(1000) * (random_.percent(30) ? 60 : 1), 60'000));
    if (random_.percent(40)) step.set("channels", amount(1000));
    if (random_.percent(30)) step.set("ids", std::string("yes"));
    if (random_.percent(20)) step.set("previous", word({"last", "missing"}));
    if (random_.percent(40)) step.set("data", std::string("text"));
    const std::size_t each = step.number("size", 16) + 60;
    // One request is a body of 2 MB at most.
    while (step.number("items", 1) > 1 && step.number("items", 1) * each > 1'900'000)
      step.set("items", step.number("items", 1) / 2);
    while (step.number("times", 1) > 1 &&
           step.number("times", 1) * step.number("items", 1) * each > kSiteBytesMax)
      step.set("times", step.number("times", 1) / 2);
    fit_deliveries(step, {"times", "items"}, 1);
  }

  void add_raw() {
    static const Words kWhat{"half-head",    "half-body",    "half-chunk", "half-frame",
                             "half-message", "empty-frames", "ping",       "bomb",
                             "lines",        "junk",         "goodbye"};
    const Group& group = random_.one_of(sockets_);
    Step& step = add("raw");
    step.set("sockets", group.name).set("what", word(kWhat));
    step.set("times", amount(300)).set("size", amount(1000) * (random_.percent(30) ? 1000 : 1));
    while (step.number("size", 1) > 1 && step.number("size", 1) * group.count > kStepBytesMax)
      step.set("size", step.number("size", 1) / 2);
    while (step.number("times", 1) > 1 &&
           step.number("times", 1) * (step.number("size", 1) + 20) * group.count > kStepBytesMax)
      step.set("times", step.number("times", 1) / 2);
  }

  void add_get() {
    Step& step = add("get");
    step.set("sockets", random_.one_of(sockets_).name).set("times", amount(100));
    step.set("path", word({"/bayeux.js", "/bayeux.js", "/bayeux/static/integrity.json", "/healthz",
                           "/nothing", "/realm/loud/publish/", "/r/loud/bayeux?message=%5B1%5D"}));
  }

  void add_stream() {
    Step& step = add("stream");
    step.set("sockets", random_.one_of(sockets_).name);
    if (!crowds_.empty()) step.set("sessions", random_.one_of(crowds_).name);
  }

  Random random_;
  Script script_;
  std::vector<Group> sockets_;
  std::vector<Group> crowds_;
  std::size_t subscribers_ = 0;
};

}  // namespace

Script generate(std::uint64_t seed) {
  return Generator(seed).make();
}

}  // namespace fanfare::amplify
