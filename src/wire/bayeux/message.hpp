#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "wire/json/json.hpp"

namespace fanfare::wire::bayeux {

/// Bytes of an `id`, quotes not counted. Clients count in base 36 or decimal; 64 leaves room for a
/// UUID with a prefix.
inline constexpr std::size_t kIdBytesMax = 64;

/// Whether a peer gave a field: not at all, as something that it must not be, or rightly.
enum class Given { no, wrongly, yes };

/// A field that should be a string. `text` is empty unless it is given rightly.
struct TextField {
  Given given = Given::no;
  std::string_view text;

  [[nodiscard]] bool is_given() const noexcept { return given == Given::yes; }
};

/// A field that should be a string or an array of strings.
struct ListField {
  Given given = Given::no;
  /// As it came, to be echoed in the same shape (rule R18); also when it is given wrongly.
  std::string_view raw;
  std::span<const std::string_view> names;

  [[nodiscard]] bool is_given() const noexcept { return given == Given::yes; }
};

/// `ext.ack` (spec/bayeux section 9.1). A boolean switches acknowledgement on or off, a number
/// acknowledges a batch, `{"enabled":true,"batch":n}` does both.
struct AckField {
  std::optional<bool> enabled;
  std::optional<std::int64_t> batch;
};

/// What a client sent, whatever kind of message it is. Unknown fields are ignored.
///
/// Everything here is a view, good until the next parse of the MessageParser it came from.
struct Message {
  TextField channel;
  /// `id` as it came, quotes included, because it is echoed as the same token (rule R4). Given
  /// wrongly: neither string nor number, or longer than kIdBytesMax.
  TextField id;
  TextField client_id;
  /// Any value will do: no server checks it (section 2), Faye only wants it there.
  bool has_version = false;
  /// Empty when the version is no string.
  std::string_view version;
  ListField supported_connection_types;
  TextField connection_type;
  ListField subscription;
  /// Absent and `null` differ (section 3.4). raw() is what subscribers get.
  std::optional<json::Value> data;
  /// `advice.timeout`, when it is an integer from 0 on (rule R15).
  std::optional<std::int64_t> advice_timeout_ms;
  /// Of any kind; usually an object.
  std::optional<json::Value> ext;
  AckField ack;
};

/// Messages with the text that they look at.
class Messages {
 public:
  [[nodiscard]] std::span<const Message> all() const noexcept { return messages_; }
  /// What is kept with them.
  [[nodiscard]] std::size_t bytes() const noexcept {
    return sizeof(Messages) + text_.capacity() + messages_.capacity() * sizeof(Message);
  }

 private:
  friend class MessageParser;
  std::vector<char> text_;  // only when they have been taken from their parser
  std::vector<Message> messages_;
  // Lists of names, and texts that held escapes. 4 KiB serve all but strange requests; what those
  // take beyond is given back at the next parse.
  alignas(std::max_align_t) std::array<std::byte, 4096> arena_start_;
  std::pmr::monotonic_buffer_resource arena_{arena_start_.data(), arena_start_.size()};
};

/// Reads what one request body or one frame carries.
///
/// Threads: one per worker. Cost: two linear walks after the JSON check; memory is reused, and
/// bounded by the largest text yet.
class MessageParser {
 public:
  explicit MessageParser(std::size_t depth_max = json::kDepthMax) : json_(depth_max) {}

  /// Accepts an array of objects, `[]` included, or one object. A field of a wrong type is for the
  /// protocol to answer; here only what cannot be answered is refused: text that is no JSON, what
  /// is no object, and an object in which a field that we read stands twice (section 10.8: else a
  /// filter before us and we could each believe another one). `too_large` for too many messages.
  base::Result<std::span<const Message>> parse(std::string_view text, std::size_t messages_max);
  /// What the last parse() returned, to be kept: those messages stay where they are and live as
  /// long as this does.
  std::unique_ptr<Messages> take();

 private:
  base::Status add(const json::Value& value, std::size_t messages_max);
  base::Status read(const json::Value& object, Message& message);

  json::Parser json_;
  std::unique_ptr<Messages> latest_ = std::make_unique<Messages>();
};

}  // namespace fanfare::wire::bayeux
