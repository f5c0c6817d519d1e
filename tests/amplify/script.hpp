#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare::amplify {

/// One line of a script: a verb, and fields in the order in which they were written.
///
///     send sockets=a sessions=s what=connect messages=1000 timeout=0
struct Step {
  std::string verb;
  std::vector<std::pair<std::string, std::string>> fields;

  [[nodiscard]] bool has(std::string_view name) const;
  [[nodiscard]] std::string_view text(std::string_view name, std::string_view otherwise = {}) const;
  [[nodiscard]] std::size_t number(std::string_view name, std::size_t otherwise) const;
  Step& set(std::string_view name, std::string value);
  Step& set(std::string_view name, std::size_t value);

  friend bool operator==(const Step&, const Step&) = default;
};

/// What an attacker does, from first to last. It is data, so that it can be kept in a file, played
/// again, and made smaller.
struct Script {
  /// For people: what it is about, without line breaks. `#` in the file.
  std::string about;
  std::vector<Step> steps;

  friend bool operator==(const Script&, const Script&) = default;
};

/// Reads a script; throws std::runtime_error with the line that is wrong and what may stand there.
Script parse(std::string_view text);
std::string print(const Script& script);

/// The verbs with the fields that each knows; README.md says what they mean.
struct Verb {
  std::string_view name;
  std::vector<std::string_view> fields;
};
const std::vector<Verb>& verbs();

}  // namespace fanfare::amplify
