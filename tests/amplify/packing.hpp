#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "amplify/peer.hpp"
#include "amplify/script.hpp"
#include "amplify/spent.hpp"
#include "wire/websocket/deflate.hpp"

namespace fanfare::amplify {

/// Puts texts into what carries them: requests of every kind, frames with and without compression,
/// whole, in fragments or begun only.
class Packing {
 public:
  explicit Packing(Spent& spent) : spent_(spent) {}

  /// A text of Bayeux messages, as the fields `wrap` and `fragments` of the step say. `path` is the
  /// realm's endpoint.
  std::string pack(const Step& step, Peer::Kind kind, std::string_view path, std::string_view text);
  /// What a `raw` step sends once: bytes that are no message, or the beginning of one.
  std::string raw(const Step& step, Peer::Kind kind, std::string_view path);

 private:
  std::string request(const Step& step, std::string_view path, std::string_view text) const;
  std::string frames(const Step& step, bool is_compressed, std::string_view text);

  Spent& spent_;
  wire::websocket::Deflater deflater_;
};

std::string post_bytes(std::string_view path, std::string_view type, std::string_view body,
                       std::string_view more_headers = {});
std::string get_bytes(std::string_view target, std::string_view more_headers = {});
std::string upgrade_bytes(std::string_view path, bool offers_deflate);

}  // namespace fanfare::amplify
