#include "wire/bayeux/reply.hpp"

#include "wire/json/json.hpp"

namespace fanfare::wire::bayeux {
namespace {

constexpr std::string_view kHandshake = "/meta/handshake";

/// Writes the braces, commas and keys of one object; its user writes the values.
class Object {
 public:
  explicit Object(std::string& out) : out_(out) {}
  ~Object() { out_ += '}'; }
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  void raw(std::string_view key, std::string_view json) { begin(key) += json; }
  void text(std::string_view key, std::string_view value) {
    json::append_quoted(begin(key), value);
  }
  /// Starts a field and returns where its value goes. Keys are ours, and need no escapes.
  std::string& begin(std::string_view key) {
    out_ += separator_;
    separator_ = ',';
    return out_.append("\"").append(key).append("\":");
  }

 private:
  std::string& out_;
  char separator_ = '{';
};

void append_names(std::string& out, std::span<const std::string_view> names) {
  char separator = '[';
  for (const std::string_view name : names) {
    out += separator;
    separator = ',';
    json::append_quoted(out, name);
  }
  out += ']';
}

std::string_view spelled(Reconnect reconnect) {
  switch (reconnect) {
    case Reconnect::handshake:
      return R"("handshake")";
    case Reconnect::none:
      return R"("none")";
    case Reconnect::retry:
      break;
  }
  return R"("retry")";
}

void append_advice(std::string& out, const Advice& advice) {
  Object object(out);
  object.raw("reconnect", spelled(advice.reconnect));
  if (advice.interval) object.raw("interval", std::to_string(advice.interval->count()));
  if (advice.timeout) object.raw("timeout", std::to_string(advice.timeout->count()));
}

}  // namespace

void append_reply(std::string& out, const Reply& reply) {
  // Faye puts the clientId behind the id, but the new one of a handshake behind what it offers.
  const bool is_handshake = reply.channel == kHandshake;
  Object object(out);
  if (!reply.id.empty()) object.raw("id", reply.id);
  if (!is_handshake && !reply.client_id.empty()) object.text("clientId", reply.client_id);
  if (!reply.channel.empty()) object.text("channel", reply.channel);
  object.raw("successful", reply.is_successful ? "true" : "false");
  if (!reply.version.empty()) object.text("version", reply.version);
  if (!reply.supported_connection_types.empty()) {
    append_names(object.begin("supportedConnectionTypes"), reply.supported_connection_types);
  }
  if (is_handshake && !reply.client_id.empty()) object.text("clientId", reply.client_id);
  if (!reply.subscription.empty()) object.raw("subscription", reply.subscription);
  if (reply.advice) append_advice(object.begin("advice"), *reply.advice);
  if (!reply.ext.empty()) object.raw("ext", reply.ext);
  if (!reply.error.empty()) object.text("error", reply.error);
}

void append_delivery(std::string& out, std::string_view channel, std::string_view data,
                     std::string_view ext) {
  Object object(out);
  object.text("channel", channel);
  object.raw("data", data);
  if (!ext.empty()) object.raw("ext", ext);
}

std::string ack_ext(std::int64_t batch) {
  return "{\"ack\":" + std::to_string(batch) + "}";
}

}  // namespace fanfare::wire::bayeux
