#include "base/strong_id.hpp"

#include <cstdint>
#include <string>
#include <type_traits>
#include <unordered_set>

#include <gtest/gtest.h>

namespace fanfare::base {
namespace {

using Apple = StrongId<struct AppleTag, std::uint64_t>;
using Pear = StrongId<struct PearTag, std::uint64_t>;
using Name = StrongId<struct NameTag, std::string>;

TEST(StrongIdTest, DoesNotPassForAnotherIdOrForItsValue) {
  static_assert(!std::is_convertible_v<Apple, Pear>);
  static_assert(!std::is_constructible_v<Apple, Pear>);
  static_assert(!std::is_convertible_v<std::uint64_t, Apple>);
  static_assert(!std::is_convertible_v<Apple, std::uint64_t>);
  static_assert(!std::is_invocable_v<std::equal_to<>, Apple, Pear>);
}

TEST(StrongIdTest, ComparesLikeItsValue) {
  EXPECT_EQ(Apple(7), Apple(7));
  EXPECT_NE(Apple(7), Apple(8));
  EXPECT_LT(Apple(7), Apple(8));
  EXPECT_LT(Name("a"), Name("b"));
}

TEST(StrongIdTest, StartsWithTheEmptyValue) {
  EXPECT_EQ(Apple().value(), 0U);
  EXPECT_EQ(Name().value(), "");
}

TEST(StrongIdTest, IsAKeyOfHashTables) {
  std::unordered_set<Name> names{Name("a"), Name("b"), Name("a")};
  EXPECT_EQ(names.size(), 2U);
  EXPECT_TRUE(names.contains(Name("b")));
}

}  // namespace
}  // namespace fanfare::base
