#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace fanfare::wire::bayeux {

inline constexpr std::string_view kVersion = "1.0";

enum class Reconnect { retry, handshake, none };

/// How a client should go on. On a success all three belong together (rule R12).
struct Advice {
  Reconnect reconnect = Reconnect::retry;
  std::optional<std::chrono::milliseconds> interval;
  std::optional<std::chrono::milliseconds> timeout;
};

/// The answer to one message, or our own unasked disconnect. Empty fields are left out.
///
/// Everything is borrowed for the length of append_reply().
struct Reply {
  /// As it came (Message::id.text): a JSON token, not a text.
  std::string_view id = {};
  std::string_view client_id = {};
  std::string_view channel = {};
  bool is_successful = true;
  /// Handshake only: kVersion, and all the transports of the server (rule R8).
  std::string_view version = {};
  std::span<const std::string_view> supported_connection_types = {};
  /// As it came (Message::subscription.raw): a JSON value.
  std::string_view subscription = {};
  std::optional<Advice> advice = {};
  /// A JSON value, as `{"ack":1}`.
  std::string_view ext = {};
  /// As error_text() makes it.
  std::string_view error = {};
};

/// Appends one JSON object, fields in the order in which Faye writes them (section 3).
void append_reply(std::string& out, const Reply& reply);

/// Appends what subscribers get: channel and data and nothing else, above all neither `clientId`
/// nor `id` (rule R7). `data` is valid JSON and goes out as it came.
void append_delivery(std::string& out, std::string_view channel, std::string_view data,
                     std::string_view ext = {});

/// `{"ack":n}`: the `ext` of a connect reply that closes batch `n` (section 9.1).
std::string ack_ext(std::int64_t batch);

}  // namespace fanfare::wire::bayeux
