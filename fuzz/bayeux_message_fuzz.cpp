// Whatever a peer sends: either a refusal with a sentence, or messages whose slices are valid JSON
// by themselves, so that nothing else can reach a subscriber or go back in a reply.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.hpp"
#include "wire/bayeux/errors.hpp"
#include "wire/bayeux/message.hpp"
#include "wire/bayeux/reply.hpp"
#include "wire/json/json.hpp"

namespace {

using namespace fanfare::wire;

constexpr std::size_t kMessagesMax = 5;

void check_json(std::string_view text) {
  FANFARE_CHECK(json::validate(text).has_value());
}

void check_list(const bayeux::ListField& list) {
  FANFARE_CHECK(list.is_given() || list.names.empty());
  if (list.given != bayeux::Given::no) check_json(list.raw);
}

void check_delivery(const bayeux::Message& message) {
  if (!message.data) return;
  check_json(message.data->raw());
  std::string delivery;
  bayeux::append_delivery(delivery, message.channel.text, json::single_line(message.data->raw()));
  const auto read = json::validate(delivery);
  FANFARE_CHECK(read.has_value());
  FANFARE_CHECK(read->find("channel")->equals(message.channel.text));
  FANFARE_CHECK(read->find("data")->kind() == message.data->kind());
}

void check_reply(const bayeux::Message& message) {
  std::string reply;
  bayeux::append_reply(
      reply, {.id = message.id.text,
              .client_id = message.client_id.text,
              .channel = message.channel.text,
              .is_successful = false,
              .version = message.version,
              .supported_connection_types = message.supported_connection_types.names,
              .subscription = message.subscription.raw,
              .ext = message.ext ? message.ext->raw() : std::string_view(),
              .error = bayeux::error_text(bayeux::Dialect::faye, bayeux::Problem::channel_invalid,
                                          message.channel.text)});
  const auto read = json::validate(reply);
  FANFARE_CHECK(read.has_value());
  if (message.id.is_given()) FANFARE_CHECK(read->find("id")->raw() == message.id.text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static bayeux::MessageParser parser;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto messages = parser.parse(text, kMessagesMax);
  if (!messages) {
    FANFARE_CHECK(!messages.error().detail.empty());
    return 0;
  }
  check_json(text);
  FANFARE_CHECK(messages->size() <= kMessagesMax);
  for (const bayeux::Message& message : *messages) {
    check_list(message.subscription);
    check_list(message.supported_connection_types);
    check_delivery(message);
    check_reply(message);
  }
  return 0;
}
