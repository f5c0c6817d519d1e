#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "core/realm.hpp"

namespace fanfare::core {

/// What a realm lets a channel be called.
struct ChannelRules {
  ChannelAlphabet alphabet = ChannelAlphabet::strict;
  std::size_t bytes_max = RealmLimits{}.channel_bytes_max;
  std::size_t segments_max = RealmLimits{}.channel_segments_max;
};

ChannelRules channel_rules(const Realm& realm);

/// The name of one channel, in the form that browsers use: "/comments-12". Parsing is the only way
/// to get one, so nobody downstream checks again. Names compare byte by byte: no trimming, no case
/// folding, no percent-decoding.
class ChannelName {
 public:
  /// Reads "/segment/segment". Errors say which character or limit is in the way.
  static base::Result<ChannelName> parse(std::string_view text, const ChannelRules& rules);

  /// Reads the name that the publish API uses, which is the same without the first slash:
  /// "comments-12". A leading '+' is let through: it marked Fanout's public channels.
  static base::Result<ChannelName> from_api_name(std::string_view name, const ChannelRules& rules);

  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  explicit ChannelName(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

/// What a session may listen to: one channel, or a pattern that ends in "/*" (one more segment) or
/// "/**" (one or more).
class ChannelPattern {
 public:
  enum class Reach { one, children, descendants };

  static base::Result<ChannelPattern> parse(std::string_view text, const ChannelRules& rules);

  [[nodiscard]] Reach reach() const noexcept { return reach_; }
  /// The name itself, or what stands before the "/*" or "/**": "" for "/**".
  [[nodiscard]] std::string_view base() const noexcept {
    return std::string_view(text_).substr(0, base_length_);
  }
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  [[nodiscard]] bool matches(std::string_view channel) const;

 private:
  ChannelPattern(std::string text, Reach reach, std::size_t base_length)
      : text_(std::move(text)), reach_(reach), base_length_(base_length) {}

  std::string text_;
  Reach reach_;
  std::size_t base_length_;
};

/// Calls `visit(base, is_parent)` for every base whose patterns match `channel`: its parent with
/// `is_parent` (there both "/*" and "/**" match), then every ancestor up to "" (only "/**" does).
template <typename Visit>
void for_each_pattern_base(std::string_view channel, Visit visit) {
  bool is_parent = true;
  while (!channel.empty()) {
    channel = channel.substr(0, channel.rfind('/'));
    visit(channel, is_parent);
    is_parent = false;
  }
}

}  // namespace fanfare::core
