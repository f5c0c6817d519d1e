#pragma once

#include <string>
#include <string_view>

namespace fanfare::wire::bayeux {

/// Whose wording and codes a refusal has. The codes steer some clients (spec/bayeux section 3.7).
enum class Dialect { faye, cometd };

/// Why a message is refused. The comment says what the argument of error_text() is.
enum class Problem {
  connection_types_unsupported,  ///< The offered types, separated by commas.
  session_unknown,               ///< The clientId.
  parameter_missing,             ///< The field.
  channel_missing,
  channel_invalid,  ///< The channel.
  /// A channel that nobody may have or create: `/meta/x`. The channel.
  channel_forbidden,
  publish_forbidden,    ///< The channel.
  subscribe_forbidden,  ///< The channel or pattern.
  subscription_missing,
  subscription_invalid,  ///< The channel or pattern.
  data_missing,
  id_invalid,
  message_deleted,  ///< By a hook; rule R1 wants an answer all the same.
  handshake_denied,
  session_terminated,  ///< By us; section 3.6.
};

/// `code:args:message` (section 2.1), to be written as a JSON string: arguments come from peers.
std::string error_text(Dialect dialect, Problem problem, std::string_view argument = {});

/// The same for what the table does not know, as a limit or a hook's own refusal.
std::string error_text(int code, std::string_view arguments, std::string_view message);

}  // namespace fanfare::wire::bayeux
