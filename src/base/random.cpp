#include "base/random.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <sys/random.h>

#include "base/check.hpp"

namespace fanfare::base {
namespace {

// SipHash-1-3 (Aumasson and Bernstein): one round per word is what hash tables use it with.
struct SipState {
  std::uint64_t v0, v1, v2, v3;

  void round() noexcept {
    v0 += v1, v1 = std::rotl(v1, 13), v1 ^= v0, v0 = std::rotl(v0, 32);
    v2 += v3, v3 = std::rotl(v3, 16), v3 ^= v2;
    v0 += v3, v3 = std::rotl(v3, 21), v3 ^= v0;
    v2 += v1, v1 = std::rotl(v1, 17), v1 ^= v2, v2 = std::rotl(v2, 32);
  }
};

const std::array<std::uint64_t, 2>& process_key() noexcept {
  static const std::array<std::uint64_t, 2> key{random_u64(), random_u64()};
  return key;
}

}  // namespace

void fill_random(std::span<std::uint8_t> into) {
  // Drawn ahead: a call to the kernel costs as much as the rest of a handshake's parsing. What has
  // been handed out is erased.
  thread_local std::array<std::uint8_t, 256> ahead;
  thread_local std::size_t left = 0;
  while (!into.empty()) {
    if (left == 0) {
      FANFARE_CHECK(getentropy(ahead.data(), ahead.size()) == 0);
      left = ahead.size();
    }
    const std::size_t take = std::min(into.size(), left);
    const auto taken = std::span(ahead).subspan(left - take, take);
    std::ranges::copy(taken, into.begin());
    std::ranges::fill(taken, std::uint8_t{0});
    left -= take;
    into = into.subspan(take);
  }
}

std::uint64_t random_u64() {
  std::array<std::uint8_t, 8> bytes{};
  fill_random(bytes);
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

std::uint64_t keyed_hash(std::string_view text) noexcept {
  const auto& key = process_key();
  SipState s{key[0] ^ 0x736f6d6570736575ULL, key[1] ^ 0x646f72616e646f6dULL,
             key[0] ^ 0x6c7967656e657261ULL, key[1] ^ 0x7465646279746573ULL};
  const char* at = text.data();
  std::size_t left = text.size();
  for (; left >= 8; left -= 8, at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    s.v3 ^= word;
    s.round();
    s.v0 ^= word;
  }
  std::uint64_t last = static_cast<std::uint64_t>(text.size()) << 56;
  for (std::size_t i = 0; i < left; ++i) {
    last |= static_cast<std::uint64_t>(static_cast<unsigned char>(at[i])) << (8 * i);
  }
  s.v3 ^= last;
  s.round();
  s.v0 ^= last;
  s.v2 ^= 0xff;
  for (int i = 0; i < 3; ++i) s.round();
  return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

}  // namespace fanfare::base
