#include "base/random.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace fanfare::base {
namespace {

TEST(RandomTest, FillsEveryByteOfBuffersOfAnySize) {
  // 256 bytes is the most that the kernel gives at once. A byte that stays zero in 8 draws of all
  // of them (once in 2^64) was never written.
  for (const std::size_t size : {0U, 1U, 255U, 256U, 257U, 1000U}) {
    std::vector<std::uint8_t> seen(size);
    for (int draw = 0; draw < 8; ++draw) {
      std::vector<std::uint8_t> bytes(size);
      fill_random(bytes);
      std::transform(seen.begin(), seen.end(), bytes.begin(), seen.begin(),
                     [](int a, int b) { return static_cast<std::uint8_t>(a | b); });
    }
    EXPECT_EQ(std::count(seen.begin(), seen.end(), 0), 0) << size;
  }
}

TEST(RandomTest, LeavesTheBytesAroundTheBufferAlone) {
  std::array<std::uint8_t, 12> bytes{};
  fill_random(std::span(bytes).subspan(4, 4));
  EXPECT_TRUE(std::all_of(bytes.begin(), bytes.begin() + 4, [](int b) { return b == 0; }));
  EXPECT_TRUE(std::all_of(bytes.end() - 4, bytes.end(), [](int b) { return b == 0; }));
}

TEST(RandomTest, DoesNotRepeatItself) {
  std::set<std::uint64_t> numbers;
  for (int i = 0; i < 1000; ++i) numbers.insert(random_u64());
  EXPECT_EQ(numbers.size(), 1000U);
}

TEST(KeyedHashTest, DependsOnTheTextAlone) {
  const std::string text = "/comments-12";
  const std::string padded = "xxx" + text;
  const auto hash = keyed_hash(text);
  EXPECT_EQ(keyed_hash(std::string(text)), hash);
  // The same bytes at another alignment, with other bytes after them.
  EXPECT_EQ(keyed_hash(std::string_view(padded).substr(3)), hash);
  EXPECT_EQ(keyed_hash(std::string_view("/comments-123").substr(0, text.size())), hash);
}

TEST(KeyedHashTest, TellsTextsOfEveryLengthAndEveryByteApart) {
  std::set<std::uint64_t> hashes;
  const std::string zeros(64, '\0');
  std::size_t texts = 0;
  for (std::size_t length = 0; length <= zeros.size(); ++length) {
    hashes.insert(keyed_hash(std::string_view(zeros).substr(0, length)));
    ++texts;
    for (std::size_t at = 0; at < length; ++at) {
      std::string text = zeros.substr(0, length);
      text[at] = '\x80';
      hashes.insert(keyed_hash(text));
      ++texts;
    }
  }
  EXPECT_EQ(hashes.size(), texts);
}

TEST(KeyedHashTest, SpreadsNeighbouringNamesOverATable) {
  // 4096 names into 256 buckets: 16 each on average. A bucket of 64 is 12 standard deviations away.
  std::array<int, 256> buckets{};
  for (int i = 0; i < 4096; ++i) {
    ++buckets[keyed_hash("/comments-" + std::to_string(i)) % buckets.size()];
  }
  EXPECT_LT(*std::max_element(buckets.begin(), buckets.end()), 64);
}

}  // namespace
}  // namespace fanfare::base
