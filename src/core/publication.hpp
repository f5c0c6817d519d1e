#pragma once

#include <memory>
#include <string>

#include "base/byte_budget.hpp"
#include "core/channel.hpp"
#include "core/realm.hpp"

namespace fanfare::core {

/// One message on a channel. Immutable once made: all workers and all subscribers share it.
struct Publication {
  ChannelName channel;
  /// One JSON value, validated and byte for byte as the publisher wrote it.
  std::string data;
  /// What a publisher that is a Bayeux client said in `ext`, for the clients that get it: one JSON
  /// value, or empty.
  std::string ext = {};
  /// What it takes of its realm's share of memory.
  base::ByteShare kept = {};
};

using PublicationPtr = std::shared_ptr<const Publication>;

/// Makes a publication that counts as the realm's while anybody keeps it. The realm, or a copy of
/// it, must outlive it.
PublicationPtr make_publication(const Realm& realm, ChannelName channel, std::string data,
                                std::string ext = {});

}  // namespace fanfare::core
