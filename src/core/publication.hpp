#pragma once

#include <memory>
#include <string>

#include "core/channel.hpp"

namespace fanfare::core {

/// One message on a channel. Immutable once made: all workers and all subscribers share it.
struct Publication {
  ChannelName channel;
  /// One JSON value, validated and byte for byte as the publisher wrote it.
  std::string data;
  /// What a publisher that is a Bayeux client said in `ext`, for the clients that get it: one JSON
  /// value, or empty.
  std::string ext = {};
};

using PublicationPtr = std::shared_ptr<const Publication>;

}  // namespace fanfare::core
