#include "amplify/script.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace fanfare::amplify {
namespace {

const Verb* find_verb(std::string_view name) {
  const auto found = std::ranges::find(verbs(), name, &Verb::name);
  return found == verbs().end() ? nullptr : &*found;
}

std::runtime_error wrong(std::size_t line, const std::string& what) {
  return std::runtime_error(fmt::format("line {}: {}", line, what));
}

Step parse_step(const std::string& text, std::size_t line) {
  std::istringstream words(text);
  Step step;
  words >> step.verb;
  const Verb* const verb = find_verb(step.verb);
  if (verb == nullptr) {
    std::vector<std::string_view> names;
    for (const Verb& each : verbs()) names.push_back(each.name);
    throw wrong(line,
                fmt::format("'{}' is no verb; there are {}", step.verb, fmt::join(names, ", ")));
  }
  for (std::string word; words >> word;) {
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    if (equals == std::string::npos ||
        std::ranges::find(verb->fields, name) == verb->fields.end()) {
      throw wrong(line, fmt::format("'{}' is no field of {}; write one of {}, then = and a value",
                                    word, verb->name, fmt::join(verb->fields, ", ")));
    }
    step.fields.emplace_back(name, word.substr(equals + 1));
  }
  return step;
}

}  // namespace

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> all{
      {"open", {"sockets", "count", "as", "realm", "addresses", "reads"}},
      {"handshake", {"sessions", "count", "ack", "realm", "address"}},
      {"send",
       {"sockets", "sessions", "what", "messages", "times", "names", "at", "shift", "name", "size",
        "spread", "array", "wrap", "fragments", "half", "ack", "timeout", "type", "sync"}},
      {"raw", {"sockets", "what", "times", "size"}},
      {"get", {"sockets", "path", "times"}},
      {"stream", {"sockets", "sessions"}},
      {"publish", {"realm", "times", "items", "channels", "size", "ids", "previous", "data"}},
      {"read", {"sockets"}},
      {"ignore", {"sockets"}},
      {"close", {"sockets", "how"}},
      {"wait", {"ms"}},
      {"settle", {}},
      {"stay", {}},
  };
  return all;
}

bool Step::has(std::string_view name) const {
  return std::ranges::find(fields, name, &decltype(fields)::value_type::first) != fields.end();
}

std::string_view Step::text(std::string_view name, std::string_view otherwise) const {
  const auto found = std::ranges::find(fields, name, &decltype(fields)::value_type::first);
  return found == fields.end() ? otherwise : std::string_view(found->second);
}

std::size_t Step::number(std::string_view name, std::size_t otherwise) const {
  const std::string_view digits = text(name);
  std::size_t value = otherwise;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

Step& Step::set(std::string_view name, std::string value) {
  const auto found = std::ranges::find(fields, name, &decltype(fields)::value_type::first);
  if (found != fields.end())
    found->second = std::move(value);
  else
    fields.emplace_back(name, std::move(value));
  return *this;
}

Step& Step::set(std::string_view name, std::size_t value) {
  return set(name, fmt::to_string(value));
}

Script parse(std::string_view text) {
  Script script;
  std::istringstream lines{std::string(text)};
  std::string line;
  for (std::size_t number = 1; std::getline(lines, line); ++number) {
    if (line.empty()) continue;
    if (line.front() != '#') {
      script.steps.push_back(parse_step(line, number));
      continue;
    }
    const std::size_t begin = std::min(line.find_first_not_of("# "), line.size());
    script.about += (script.about.empty() ? "" : " ") + line.substr(begin);
  }
  return script;
}

std::string print(const Script& script) {
  std::string text = "# " + script.about + '\n';
  for (const Step& step : script.steps) {
    text += step.verb;
    for (const auto& [name, value] : step.fields) text += fmt::format(" {}={}", name, value);
    text += '\n';
  }
  return text;
}

}  // namespace fanfare::amplify
