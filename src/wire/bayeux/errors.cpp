#include "wire/bayeux/errors.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace fanfare::wire::bayeux {
namespace {

/// One text per dialect; `%` is where the argument goes.
struct Wording {
  Problem problem;
  std::string_view faye;
  std::string_view cometd;
};

// Spec/bayeux section 5. Where one of the two never refuses, it borrows the words of the other or,
// for a wrong id under Faye, the code that Faye defines and never sends.
constexpr std::array kWordings{
    Wording{Problem::connection_types_unsupported, "301:%:Connection types not supported",
            "301:%:Connection types not supported"},
    Wording{Problem::session_unknown, "401:%:Unknown client", "402::session_unknown"},
    Wording{Problem::parameter_missing, "402:%:Missing required parameter",
            "402:%:Missing required parameter"},
    Wording{Problem::channel_missing, "405::Invalid channel", "400::channel_missing"},
    Wording{Problem::channel_invalid, "405:%:Invalid channel", "405::channel_invalid"},
    Wording{Problem::channel_forbidden, "403:%:Forbidden channel",
            "403:denied_by_security_policy:create_denied"},
    Wording{Problem::publish_forbidden, "403:%:Forbidden channel",
            "403:denied_by_security_policy:publish_denied"},
    Wording{Problem::subscribe_forbidden, "403:%:Forbidden channel",
            "403:denied_by_security_policy:subscribe_denied"},
    Wording{Problem::subscription_missing, "402:subscription:Missing required parameter",
            "403::subscription_missing"},
    Wording{Problem::subscription_invalid, "405:%:Invalid channel", "403::subscription_invalid"},
    Wording{Problem::data_missing, "402:data:Missing required parameter",
            "402:data:Missing required parameter"},
    Wording{Problem::id_invalid, "400:id:Bad request", "405::message_id_invalid"},
    Wording{Problem::message_deleted, "404::message_deleted", "404::message_deleted"},
    Wording{Problem::handshake_denied, "403::handshake_denied", "403::handshake_denied"},
    Wording{Problem::session_terminated, "403::session_terminated", "403::session_terminated"},
};

constexpr const Wording& wording_of(Problem problem) {
  return kWordings[static_cast<std::size_t>(problem)];
}

static_assert(
    [] {
      return std::ranges::all_of(
          kWordings, [](const Wording& row) { return &row == &wording_of(row.problem); });
    }(),
    "rows stand in the order of the enumerators");
static_assert(kWordings.back().problem == Problem::session_terminated, "every problem has a row");

}  // namespace

std::string error_text(Dialect dialect, Problem problem, std::string_view argument) {
  const Wording& wording = wording_of(problem);
  std::string text(dialect == Dialect::faye ? wording.faye : wording.cometd);
  if (const std::size_t place = text.find('%'); place != std::string::npos) {
    text.replace(place, 1, argument);
  }
  return text;
}

std::string error_text(int code, std::string_view arguments, std::string_view message) {
  std::string text = std::to_string(code);
  text.append(":").append(arguments).append(":").append(message);
  return text;
}

}  // namespace fanfare::wire::bayeux
