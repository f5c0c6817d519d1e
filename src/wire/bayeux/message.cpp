#include "wire/bayeux/message.hpp"

#include <memory>
#include <string>
#include <utility>

namespace fanfare::wire::bayeux {
namespace {

using Arena = std::pmr::memory_resource;
using MaybeValue = std::optional<json::Value>;
using base::Errc;
using base::Error;
using base::Status;

// The text of a JSON string: a slice of the request, or a copy when it holds escapes.
std::string_view text_of(const json::Value& string, Arena& arena) {
  if (const auto plain = string.plain_string()) return *plain;
  const std::string text = string.as_string();
  auto* const copy = static_cast<char*>(arena.allocate(text.size(), alignof(char)));
  text.copy(copy, text.size());
  return {copy, text.size()};
}

TextField text_field(const MaybeValue& value, Arena& arena) {
  if (!value) return {};
  if (!value->is_string()) return {Given::wrongly, {}};
  return {Given::yes, text_of(*value, arena)};
}

TextField id_field(const MaybeValue& value) {
  if (!value) return {};
  const bool is_string = value->is_string();
  const std::size_t bytes_max = is_string ? kIdBytesMax + 2 : kIdBytesMax;
  if ((!is_string && !value->is_number()) || value->raw().size() > bytes_max) {
    return {Given::wrongly, {}};
  }
  return {Given::yes, value->raw()};
}

std::span<std::string_view> names_in(Arena& arena, std::size_t count) {
  std::pmr::polymorphic_allocator<std::string_view> allocator(&arena);
  std::string_view* const names = allocator.allocate(count);
  std::uninitialized_value_construct_n(names, count);
  return {names, count};
}

ListField list_field(const MaybeValue& value, Arena& arena) {
  if (!value) return {};
  if (value->is_string()) {
    const auto names = names_in(arena, 1);
    names.front() = text_of(*value, arena);
    return {Given::yes, value->raw(), names};
  }
  const ListField wrong{Given::wrongly, value->raw(), {}};
  if (!value->is_array()) return wrong;
  const auto names = names_in(arena, value->element_count());
  auto name = names.begin();
  json::Walker walker(*value);
  for (json::Value element; walker.next(element); ++name) {
    if (!element.is_string()) return wrong;
    *name = text_of(element, arena);
  }
  return {Given::yes, value->raw(), names};
}

Status read_advice(const json::Value& advice, Message& message) {
  if (!advice.is_object()) return base::Done{};
  auto fields = json::pick_fields<1>(advice, {"timeout"});
  if (!fields) return std::move(fields.error());
  const auto& [timeout] = *fields;
  const auto milliseconds = timeout ? timeout->as_int64() : std::nullopt;
  if (milliseconds && *milliseconds >= 0) message.advice_timeout_ms = milliseconds;
  return base::Done{};
}

Status read_ack(const json::Value& ext, Message& message) {
  if (!ext.is_object()) return base::Done{};
  auto fields = json::pick_fields<1>(ext, {"ack"});
  if (!fields) return std::move(fields.error());
  const auto& [ack] = *fields;
  if (!ack) return base::Done{};
  if (!ack->is_object()) {
    message.ack = {ack->as_bool(), ack->as_int64()};
    return base::Done{};
  }
  auto members = json::pick_fields<2>(*ack, {"enabled", "batch"});
  if (!members) return std::move(members.error());
  const auto& [enabled, batch] = *members;
  message.ack = {enabled ? enabled->as_bool() : std::nullopt,
                 batch ? batch->as_int64() : std::nullopt};
  return base::Done{};
}

}  // namespace

base::Result<std::span<const Message>> MessageParser::parse(std::string_view text,
                                                            std::size_t messages_max) {
  latest_->messages_.clear();
  latest_->arena_.release();
  auto parsed = json_.parse(text);
  if (!parsed) return std::move(parsed.error());
  const json::Value& request = *parsed;
  if (request.is_object()) {
    if (auto added = add(request, messages_max); !added) return std::move(added.error());
    return latest_->all();
  }
  if (!request.is_array()) {
    return Error{Errc::invalid, std::string("expected an array of messages or one message, not ")
                                    .append(json::describe(request.kind()))};
  }
  json::Walker walker(request);
  for (json::Value element; walker.next(element);) {
    if (auto added = add(element, messages_max); !added) return std::move(added.error());
  }
  return latest_->all();
}

std::unique_ptr<Messages> MessageParser::take() {
  latest_->text_ = json_.take_text();
  return std::exchange(latest_, std::make_unique<Messages>());
}

Status MessageParser::add(const json::Value& value, std::size_t messages_max) {
  if (latest_->messages_.size() == messages_max) {
    return Error{Errc::too_large, "more messages in one request than batch_messages_max = " +
                                      std::to_string(messages_max)};
  }
  auto status = read(value, latest_->messages_.emplace_back());
  if (status) return status;
  const std::string place = "message " + std::to_string(latest_->messages_.size()) + ": ";
  return Error{status.error().code, place + status.error().detail};
}

Status MessageParser::read(const json::Value& object, Message& message) {
  auto fields = json::pick_fields<10>(
      object, {"channel", "id", "clientId", "version", "supportedConnectionTypes", "connectionType",
               "subscription", "data", "advice", "ext"});
  if (!fields) return std::move(fields.error());
  Arena& arena = latest_->arena_;
  const auto& [channel, id, client_id, version, types, connection_type, subscription, data, advice,
               ext] = *fields;
  message.channel = text_field(channel, arena);
  message.id = id_field(id);
  message.client_id = text_field(client_id, arena);
  message.has_version = version.has_value();
  message.version = text_field(version, arena).text;
  message.supported_connection_types = list_field(types, arena);
  message.connection_type = text_field(connection_type, arena);
  message.subscription = list_field(subscription, arena);
  message.data = data;
  message.ext = ext;
  if (advice) {
    if (auto status = read_advice(*advice, message); !status) return status;
  }
  return ext ? read_ack(*ext, message) : Status(base::Done{});
}

}  // namespace fanfare::wire::bayeux
