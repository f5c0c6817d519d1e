#include "protocol/bayeux/session_id.hpp"

#include "base/random.hpp"

namespace fanfare::protocol::bayeux {
namespace {

constexpr std::string_view kDigits = "0123456789abcdefghijklmnopqrstuvwxyz";
constexpr std::size_t kWorkerDigits = 2;   // base 36
constexpr std::size_t kSecretDigits = 26;  // base 32: 26 times 5 bits hold 128
constexpr std::size_t kLength = kWorkerDigits + kSecretDigits;

}  // namespace

SessionId SessionId::make(core::WorkerIndex worker) {
  SessionId id;
  base::fill_random(id.secret_);
  id.worker_ = worker;
  return id;
}

std::string SessionId::text() const {
  std::string text;
  text.reserve(kLength);
  text += kDigits[worker_.value() / kDigits.size()];
  text += kDigits[worker_.value() % kDigits.size()];
  // From the front of the bytes, five bits at a time; the last digit is filled up with zeros.
  std::uint32_t bits = 0;
  int available = 0;
  for (const std::uint8_t byte : secret_) {
    bits = (bits << 8U) | byte;
    available += 8;
    while (available >= 5) {
      available -= 5;
      text += kDigits[(bits >> static_cast<unsigned>(available)) & 31U];
    }
  }
  text += kDigits[(bits << static_cast<unsigned>(5 - available)) & 31U];
  return text;
}

std::optional<SessionId> SessionId::parse(std::string_view text) {
  if (text.size() != kLength) return std::nullopt;
  const std::size_t high = kDigits.find(text[0]);
  const std::size_t low = kDigits.find(text[1]);
  if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
  const std::size_t worker = high * kDigits.size() + low;
  if (worker >= core::kWorkersMax) return std::nullopt;
  SessionId id;
  id.worker_ = core::WorkerIndex(static_cast<std::uint8_t>(worker));
  std::uint32_t bits = 0;
  int available = 0;
  std::size_t filled = 0;
  for (const char c : text.substr(kWorkerDigits)) {
    const std::size_t digit = kDigits.find(c);
    if (digit >= 32) return std::nullopt;
    bits = (bits << 5U) | static_cast<std::uint32_t>(digit);
    available += 5;
    if (available >= 8) {
      available -= 8;
      id.secret_[filled++] = static_cast<std::uint8_t>(bits >> static_cast<unsigned>(available));
    }
  }
  // Two spare bits; anything in them would be a second spelling of the same id.
  if ((bits & 3U) != 0) return std::nullopt;
  return id;
}

}  // namespace fanfare::protocol::bayeux
