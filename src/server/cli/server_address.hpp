#pragma once

#include <string>
#include <string_view>

namespace fanfare::server::cli {

inline constexpr const char* kDefaultUrl = "http://127.0.0.1:8400";

/// The server's URL as typed, without slashes at its end.
inline std::string base_url(std::string_view url) {
  while (url.ends_with('/')) url.remove_suffix(1);
  return std::string(url);
}

/// A channel's name in the publish API and on the command line: without its first slash.
inline std::string_view api_channel(std::string_view channel) {
  if (channel.starts_with('/')) channel.remove_prefix(1);
  return channel;
}

/// The same channel in Bayeux: with it.
inline std::string bayeux_channel(std::string_view channel) {
  return std::string("/").append(api_channel(channel));
}

}  // namespace fanfare::server::cli
