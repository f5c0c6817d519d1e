#include "core/realm.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/base64.hpp"
#include "base/random.hpp"

namespace fanfare::core {
namespace {

constexpr std::size_t kRealmIdBytesMax = 63;

bool is_realm_id_letter(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= '0' && letter <= '9') || letter == '-' || letter == '_';
}

template <std::size_t kSize>
std::string random_bytes() {
  std::array<std::uint8_t, kSize> bytes{};
  base::fill_random(bytes);
  return std::string(bytes.begin(), bytes.end());
}

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    text += kDigits[value >> 4U];
    text += kDigits[value & 15U];
  }
  return text;
}

}  // namespace

base::Result<RealmKey> parse_realm_key(std::string_view base64) {
  auto bytes = base::decode_base64(base64);
  // The text is a secret: it stays out of the message, which may end in a log.
  if (!bytes) return base::Error{base::Errc::invalid, "the key is not standard base64"};
  if (bytes->empty()) return base::Error{base::Errc::invalid, "the key is empty"};
  return RealmKey{std::move(*bytes), std::string(base64)};
}

base::Result<RealmId> parse_realm_id(std::string_view text) {
  if (text.empty() || text.size() > kRealmIdBytesMax ||
      !std::all_of(text.begin(), text.end(), is_realm_id_letter)) {
    return base::Error{base::Errc::invalid,
                       "a realm id has 1 to 63 letters, digits, '-' and '_', and nothing else"};
  }
  return RealmId(std::string(text));
}

Realm make_realm() {
  const std::string key = random_bytes<32>();
  Realm realm;
  realm.id = RealmId(to_hex(random_bytes<4>()));
  realm.keys.push_back(RealmKey{key, base::encode_base64(key)});
  return realm;
}

bool Realm::allows_origin(std::optional<std::string_view> origin) const {
  if (!origin) return allow_missing_origin;
  return allowed_origins.empty() || std::find(allowed_origins.begin(), allowed_origins.end(),
                                              *origin) != allowed_origins.end();
}

}  // namespace fanfare::core
