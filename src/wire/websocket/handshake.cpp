#include "wire/websocket/handshake.hpp"

#include <array>

#include <openssl/sha.h>

#include "base/base64.hpp"
#include "wire/websocket/list.hpp"

namespace fanfare::wire::websocket {

bool is_valid_key(std::string_view sec_websocket_key) {
  constexpr std::size_t kBytes = 16;
  constexpr std::size_t kPaddedSize = 24;
  if (sec_websocket_key.size() != kPaddedSize) return false;
  const auto bytes = base::decode_base64(sec_websocket_key);
  return bytes && bytes->size() == kBytes;
}

std::string accept_key(std::string_view sec_websocket_key) {
  std::string text(sec_websocket_key);
  text += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // section 1.3

  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return base::encode_base64({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

std::string_view first_subprotocol(std::string_view sec_websocket_protocol) {
  ListReader list(sec_websocket_protocol);
  list.skip_commas();
  const std::string_view first = list.token();
  return list.at_element_end() ? first : std::string_view();
}

}  // namespace fanfare::wire::websocket
