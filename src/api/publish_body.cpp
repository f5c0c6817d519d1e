#include "api/publish_body.hpp"

#include <array>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "core/channel.hpp"

namespace fanfare::api {
namespace {

using base::Errc;
using base::Error;
using base::Result;
using wire::json::Value;

// Ids are remembered for a minute; a UUID with a prefix fits three times.
constexpr std::size_t kIdBytesMax = 128;

/// The same error, told with its place: "items[7]: 'channel': …", counted from 0.
Error at(std::string_view place, const Error& error) {
  return {error.code, fmt::format("{}: {}", place, error.detail)};
}

/// Reads the items of one body.
class ItemReader {
 public:
  ItemReader(const std::optional<std::string>& path_channel, const core::Realm& realm)
      : path_channel_(path_channel), realm_(realm), rules_(core::channel_rules(realm)) {}

  /// Without a publication if the item holds nothing for browsers.
  Result<core::PublishItem> read(const Value& value) {
    enum Field {
      channel,
      id,
      prev_id,
      no_seq,
      formats,
      json_object,
      fpp,
      http_response,
      http_stream,
      ws_message,
      kCount
    };
    auto fields = wire::json::pick_fields<kCount>(
        value, {"channel", "id", "prev-id", "no-seq", "formats", "json-object", "fpp",
                "http-response", "http-stream", "ws-message"});
    if (!fields) return fields.error();
    auto& given = *fields;
    auto name = read_channel(given[channel]);
    if (!name) return name.error();
    core::PublishItem item;
    // `fpp` is what Fanout called it at first; GRIP libraries have it inside `formats`.
    std::optional<Value> data = given[json_object] ? given[json_object] : given[fpp];
    bool is_for_grip = given[http_response] || given[http_stream] || given[ws_message];
    if (!data && given[formats]) {
      const auto nested = wire::json::pick_fields<5>(
          *given[formats], {"json-object", "fpp", "http-response", "http-stream", "ws-message"});
      if (!nested) return at("'formats'", nested.error());
      data = (*nested)[0] ? (*nested)[0] : (*nested)[1];
      is_for_grip = is_for_grip || (*nested)[2] || (*nested)[3] || (*nested)[4];
    }
    // GRIP's formats are for HTTP requests and sockets that a site holds open through a proxy;
    // there are none here. Its libraries put such items into one request with others.
    if (!data && is_for_grip) return item;
    if (auto status = check_data(data); !status) return status.error();
    if (auto status = read_id("id", given[id], item.id); !status) return status.error();
    if (auto status = read_id("prev-id", given[prev_id], item.prev_id); !status)
      return status.error();
    if (given[no_seq]) item.waits_for_predecessor = !given[no_seq]->as_bool().value_or(false);
    item.publication =
        core::make_publication(realm_, std::move(*name), wire::json::single_line(data->raw()));
    return item;
  }

 private:
  Result<core::ChannelName> read_channel(const std::optional<Value>& field) const {
    if (field && !field->is_string()) {
      return Error{Errc::invalid,
                   fmt::format("'channel' is {}, not a string", describe(field->kind()))};
    }
    if (!field && !path_channel_) return Error{Errc::invalid, "'channel' is missing"};
    const std::string name = field ? field->as_string() : *path_channel_;
    if (field && path_channel_ && name != *path_channel_) {
      return Error{Errc::invalid,
                   "'channel' is not the channel in the path; leave one of them out"};
    }
    auto channel = core::ChannelName::from_api_name(name, rules_);
    if (!channel) return at("'channel'", channel.error());
    if (channel->text() == "/meta" || channel->text().starts_with("/meta/") ||
        channel->text() == "/service" || channel->text().starts_with("/service/")) {
      return Error{Errc::invalid,
                   "'channel': names under 'meta' and 'service' belong to the protocol"};
    }
    return channel;
  }

  [[nodiscard]] base::Status check_data(const std::optional<Value>& data) const {
    if (!data) {
      return Error{
          Errc::invalid,
          "there is no 'json-object'; it holds the data, and no other format is for browsers"};
    }
    const std::size_t limit = realm_.limits.message_bytes_max;
    if (data->raw().size() > limit) {
      return Error{Errc::too_large,
                   fmt::format("'json-object' has {} bytes, message_bytes_max is {}",
                               data->raw().size(), limit)};
    }
    return base::Done{};
  }

  static base::Status read_id(std::string_view name, const std::optional<Value>& field,
                              std::string& into) {
    if (!field || field->is_null()) return base::Done{};
    if (!field->is_string()) {
      return Error{Errc::invalid,
                   fmt::format("'{}' is {}, not a string", name, describe(field->kind()))};
    }
    into = field->as_string();
    if (into.size() > kIdBytesMax) {
      return Error{Errc::too_large, fmt::format("'{}' has {} bytes, at most {} are kept", name,
                                                into.size(), kIdBytesMax)};
    }
    return base::Done{};
  }

  const std::optional<std::string>& path_channel_;
  const core::Realm& realm_;
  core::ChannelRules rules_;
};

}  // namespace

Result<std::vector<core::PublishItem>> read_publish_body(
    std::string_view body, const std::optional<std::string>& path_channel, const core::Realm& realm,
    wire::json::Parser& parser) {
  const auto document = parser.parse(body);
  if (!document) return at("the body", document.error());
  const auto fields = wire::json::pick_fields<1>(*document, {"items"});
  if (!fields) return at("the body", fields.error());
  const auto& list = (*fields)[0];
  if (!list || !list->is_array()) {
    return Error{Errc::invalid,
                 R"(the body has no list 'items'; send {"items":[{"channel":…,"json-object":…}]})"};
  }

  ItemReader reader(path_channel, realm);
  std::vector<core::PublishItem> items;
  std::size_t count = 0;
  wire::json::Walker walker(*list);
  for (Value value; walker.next(value); ++count) {
    if (count == realm.limits.batch_messages_max) {
      return Error{Errc::too_large,
                   fmt::format("'items' has more than {} items (batch_messages_max)",
                               realm.limits.batch_messages_max)};
    }
    auto item = reader.read(value);
    if (!item) return at(fmt::format("items[{}]", count), item.error());
    if (item->publication) items.push_back(std::move(*item));
  }
  if (count == 0) return Error{Errc::invalid, "'items' is empty, there is nothing to publish"};
  return items;
}

}  // namespace fanfare::api
