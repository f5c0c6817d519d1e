#include "server/cli/bayeux_client.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/units.hpp"

namespace fanfare::server::cli {
namespace {

using base::Done;
using base::Errc;
using base::Error;
using base::Status;
using std::chrono::milliseconds;
using std::chrono::seconds;
using wire::json::Value;

constexpr seconds kFirstPause{1};
constexpr seconds kLongestPause{30};
constexpr milliseconds kReplyTimeout{15'000};
constexpr milliseconds kLeaveTimeout{2'000};
// How much longer than the server's own timeout an answer may take.
constexpr milliseconds kPollGrace{10'000};

bool is_worth_another_try(long status) {
  return status >= 500 || status == 408 || status == 429;
}

std::string text_field(const Value& object, std::string_view name) {
  const auto field = object.find(name);
  return field ? field->as_string() : std::string();
}

// 401 is Faye's code for a session that is not known, 402 is CometD's.
bool is_unknown_session(std::string_view error) {
  return error.starts_with("401:") || error.starts_with("402:");
}

milliseconds pause_after(int failures) {
  const auto doubled = kFirstPause * (1 << std::min(failures - 1, 10));
  return std::min<milliseconds>(doubled, kLongestPause);
}

}  // namespace

BayeuxClient::BayeuxClient(HttpClient& http, std::string url, std::string channel,
                           Listener listener)
    : http_(http),
      url_(std::move(url)),
      channel_(std::move(channel)),
      listener_(std::move(listener)) {}

Status BayeuxClient::run() {
  while (!is_over()) {
    const auto status = step();
    if (status || is_over()) continue;
    const Error& error = status.error();
    if (error.code == Errc::not_found) {
      client_id_.clear();
      is_subscribed_ = false;
      // At once, since each second misses something; but not again and again.
      if (!std::exchange(was_forgotten_, true)) continue;
    } else if (error.code != Errc::unavailable) {
      return status;
    }
    come_back_later(error);
  }
  return Done{};
}

Status BayeuxClient::step() {
  if (client_id_.empty()) return handshake();
  if (!is_subscribed_) return subscribe();
  return connect();
}

Status BayeuxClient::handshake() {
  return exchange("/meta/handshake",
                  make_message("/meta/handshake",
                               R"("version":"1.0","supportedConnectionTypes":["long-polling"])"),
                  kReplyTimeout);
}

Status BayeuxClient::subscribe() {
  const std::string fields = R"("subscription":)" + wire::json::quoted(channel_);
  auto status = exchange("/meta/subscribe", make_message("/meta/subscribe", fields), kReplyTimeout);
  if (!status) return status;
  is_subscribed_ = true;
  is_lost_ = false;
  listener_.on_status(fmt::format("listening to {} at {}", channel_, url_));
  return status;
}

Status BayeuxClient::connect() {
  std::string fields = R"("connectionType":"long-polling")";
  // To know soon whether the session is still there: asks for an answer at once.
  if (is_lost_) fields += R"(,"advice":{"timeout":0})";
  auto status = exchange("/meta/connect", make_message("/meta/connect", fields),
                         advice_.timeout + kPollGrace);
  if (!status) return status;
  if (std::exchange(is_lost_, false)) listener_.on_status("the connection is back");
  was_forgotten_ = false;
  failures_ = 0;
  if (!is_over()) http_.wait(advice_.interval);
  return status;
}

void BayeuxClient::leave() {
  if (client_id_.empty()) return;
  HttpClient other;
  static_cast<void>(other.post({url_,
                                make_message("/meta/disconnect", ""),
                                {"Content-Type: application/json"},
                                kLeaveTimeout}));
  client_id_.clear();
}

Status BayeuxClient::exchange(std::string_view channel, const std::string& message,
                              milliseconds timeout) {
  const auto answer = post(message, timeout);
  if (!answer) return answer.error();
  const auto messages = wire::json::validate(answer->body);
  if (!messages || !messages->is_array()) {
    return Error{Errc::invalid, fmt::format("{} does not answer as a Bayeux server does", url_)};
  }
  return take_answer(*messages, channel);
}

base::Result<HttpClient::Answer> BayeuxClient::post(const std::string& body, milliseconds timeout) {
  auto answer = http_.post({url_, body, {"Content-Type: application/json"}, timeout});
  if (!answer) {
    auto error = std::move(answer.error());
    error.detail = fmt::format("{} cannot be reached: {}", url_, error.detail);
    return error;
  }
  if (answer->status == 200) return answer;
  return Error{is_worth_another_try(answer->status) ? Errc::unavailable : Errc::invalid,
               fmt::format("{} refused: {}", url_, explain_refusal(*answer))};
}

Status BayeuxClient::take_answer(const Value& messages, std::string_view channel) {
  Status status =
      Error{Errc::unavailable, "the server left " + std::string(channel) + " unanswered"};
  messages.for_each_element([&](const Value& message) {
    if (message.find("successful")) {
      // Deliveries have none; another reply (to a connect of before) is not what was asked.
      if (text_field(message, "channel") == channel) status = take_reply(message);
    } else if (message.find("data")) {
      take_delivery(message);
    }
  });
  return status;
}

Status BayeuxClient::take_reply(const Value& message) {
  advice_.reconnect = Reconnect::retry;
  if (const auto advice = message.find("advice")) take_advice(*advice);
  if (message.find("successful")->as_bool().value_or(false)) {
    if (auto id = text_field(message, "clientId"); !id.empty()) client_id_ = std::move(id);
    return Done{};
  }
  const std::string error = text_field(message, "error");
  if (advice_.reconnect == Reconnect::handshake || is_unknown_session(error)) {
    return Error{Errc::not_found, "the server has forgotten this session"};
  }
  // A failed subscribe has no advice, and would fail again.
  const bool is_final =
      advice_.reconnect == Reconnect::none || text_field(message, "channel") == "/meta/subscribe";
  return Error{is_final ? Errc::forbidden : Errc::unavailable, "the server refused: " + error};
}

void BayeuxClient::take_advice(const Value& advice) {
  const std::string reconnect = text_field(advice, "reconnect");
  if (reconnect == "handshake") advice_.reconnect = Reconnect::handshake;
  if (reconnect == "none") advice_.reconnect = Reconnect::none;
  const auto take_time = [&advice](std::string_view name, milliseconds& into) {
    const auto field = advice.find(name);
    const auto count = field ? field->as_int64() : std::nullopt;
    if (count) into = milliseconds(std::clamp<std::int64_t>(*count, 0, 3'600'000));
  };
  take_time("interval", advice_.interval);
  take_time("timeout", advice_.timeout);
}

void BayeuxClient::take_delivery(const Value& message) {
  if (is_over()) return;  // the rest of an answer that holds more than was wanted
  if (!listener_.on_data(wire::json::single_line(message.find("data")->raw()))) has_enough_ = true;
}

void BayeuxClient::come_back_later(const Error& error) {
  is_lost_ = true;
  const auto pause = pause_after(++failures_);
  listener_.on_status(
      fmt::format("{}; trying again in {}", error.detail, base::format_duration(pause)));
  http_.wait(pause);
}

std::string BayeuxClient::make_message(std::string_view channel, std::string_view fields) {
  std::string message = fmt::format(R"([{{"channel":"{}","id":"{}")", channel, ++last_message_id_);
  if (!client_id_.empty()) message += R"(,"clientId":)" + wire::json::quoted(client_id_);
  if (!fields.empty()) message += ',';
  return message.append(fields).append("}]");
}

}  // namespace fanfare::server::cli
