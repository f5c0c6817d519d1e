#include "wire/http1/authority.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fanfare::wire::http1 {
namespace {

using testing::Optional;

TEST(AuthorityTest, MeasuresNamesAndAddresses) {
  EXPECT_THAT(host_size_of("example.com"), Optional(11));
  EXPECT_THAT(host_size_of("my_realm.local-host.:80"), Optional(20));
  EXPECT_THAT(host_size_of("127.0.0.1:8400"), Optional(9));
  EXPECT_THAT(host_size_of("[::1]:8400"), Optional(5));
  EXPECT_THAT(host_size_of("a:"), Optional(1));
}

TEST(AuthorityTest, RefusesWhatCannotBeReached) {
  for (const char* bad : {"", ":80", "a b", "a:8o", "a:123456", "a@b", "a%41", "[]", "[:]", "[::1",
                          "[::g]", "[::1]x", "::1", "a,b", "\xc3\xa4", "a/b", "a\\b"}) {
    EXPECT_EQ(host_size_of(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace fanfare::wire::http1
