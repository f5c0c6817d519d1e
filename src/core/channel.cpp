#include "core/channel.hpp"

#include <fmt/format.h>

namespace fanfare::core {
namespace {

using base::Errc;
using base::Error;

bool is_in_alphabet(char c, ChannelAlphabet alphabet) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  constexpr std::string_view kStrict = "-_!~()$@";
  constexpr std::string_view kExtended = ".+#{} ,=:%";
  if (kStrict.find(c) != std::string_view::npos) return true;
  return alphabet == ChannelAlphabet::extended && kExtended.find(c) != std::string_view::npos;
}

std::string describe(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (byte > 0x20 && byte < 0x7f) return fmt::format("'{}'", c);
  if (c == ' ') return "a space";
  if (byte < 0x20 || byte == 0x7f) return fmt::format("a control character (0x{:02x})", byte);
  return fmt::format("a byte outside ASCII (0x{:02x})", byte);
}

std::string allowed(ChannelAlphabet alphabet) {
  if (alphabet == ChannelAlphabet::strict) {
    return "letters, digits and - _ ! ~ ( ) $ @ may be used (the realm's channel_names = "
           "\"extended\" adds . + # { } , = : % and space)";
  }
  return "letters, digits, space and - _ ! ~ ( ) $ @ . + # { } , = : % may be used";
}

/// Checks "/a/b"; `first` is where the alphabet starts to count.
base::Status check_segments(std::string_view text, const ChannelRules& rules, std::size_t first) {
  if (text.size() > rules.bytes_max) {
    return Error{Errc::invalid,
                 fmt::format("the channel name has {} bytes, channel_bytes_max is {}", text.size(),
                             rules.bytes_max)};
  }
  std::size_t segments = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '/') {
      ++segments;
      if (i + 1 == text.size() || text[i + 1] == '/') {
        return Error{Errc::invalid, "the channel name has an empty segment"};
      }
    } else if (i >= first && !is_in_alphabet(text[i], rules.alphabet)) {
      return Error{Errc::invalid, fmt::format("the channel name has {}; {}", describe(text[i]),
                                              allowed(rules.alphabet))};
    }
  }
  if (segments > rules.segments_max) {
    return Error{Errc::invalid,
                 fmt::format("the channel name has {} segments, channel_segments_max is {}",
                             segments, rules.segments_max)};
  }
  return base::Done{};
}

}  // namespace

ChannelRules channel_rules(const Realm& realm) {
  return {realm.channel_alphabet, realm.limits.channel_bytes_max,
          realm.limits.channel_segments_max};
}

base::Result<ChannelName> ChannelName::parse(std::string_view text, const ChannelRules& rules) {
  if (text.size() < 2 || text.front() != '/') {
    return Error{Errc::invalid, "a channel starts with '/' and has a name"};
  }
  if (auto checked = check_segments(text, rules, 0); !checked) return checked.error();
  return ChannelName(std::string(text));
}

base::Result<ChannelName> ChannelName::from_api_name(std::string_view name,
                                                     const ChannelRules& rules) {
  if (name.empty()) return Error{Errc::invalid, "the channel name is empty"};
  if (name.front() == '/') {
    return Error{
        Errc::invalid,
        "the channel name starts with '/'; only browsers write the slash, leave it out here"};
  }
  std::string text;
  text.reserve(name.size() + 1);
  text += '/';
  text += name;
  if (auto checked = check_segments(text, rules, name.front() == '+' ? 2 : 1); !checked) {
    return checked.error();
  }
  return ChannelName(std::move(text));
}

base::Result<ChannelPattern> ChannelPattern::parse(std::string_view text,
                                                   const ChannelRules& rules) {
  Reach reach = Reach::one;
  std::size_t base_length = text.size();
  if (text.ends_with("/**")) {
    reach = Reach::descendants;
    base_length -= 3;
  } else if (text.ends_with("/*")) {
    reach = Reach::children;
    base_length -= 2;
  }
  const bool is_bare_pattern = reach != Reach::one && base_length == 0;
  if (!is_bare_pattern) {
    // A pattern's base is a name, and the pattern itself counts towards the limits.
    ChannelRules base_rules = rules;
    base_rules.bytes_max -= std::min(rules.bytes_max, text.size() - base_length);
    if (auto name = ChannelName::parse(text.substr(0, base_length), base_rules); !name) {
      return name.error();
    }
  }
  return ChannelPattern(std::string(text), reach, base_length);
}

bool ChannelPattern::matches(std::string_view channel) const {
  if (reach_ == Reach::one) return channel == text_;
  if (channel.size() <= base_length_ + 1 || !channel.starts_with(base()) ||
      channel[base_length_] != '/') {
    return false;
  }
  return reach_ == Reach::descendants ||
         channel.find('/', base_length_ + 1) == std::string_view::npos;
}

}  // namespace fanfare::core
