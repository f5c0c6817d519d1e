#include "base/units.hpp"

#include <cstdint>
#include <limits>
#include <string>

#include <gtest/gtest.h>

namespace fanfare::base {
namespace {

using std::chrono::milliseconds;

TEST(UnitsTest, WritesSizesInSourceAsPowersOf1024) {
  static_assert(64_KiB == 65'536);
  static_assert(2_MiB == 2'097'152);
}

TEST(UnitsTest, ReadsSizesAsPeopleWriteThem) {
  EXPECT_EQ(*parse_size("512"), 512U);
  EXPECT_EQ(*parse_size("512B"), 512U);
  EXPECT_EQ(*parse_size("64KiB"), 65'536U);
  EXPECT_EQ(*parse_size("2 MB"), 2'000'000U);
  EXPECT_EQ(*parse_size("3kB"), 3'000U);
  EXPECT_EQ(*parse_size("1GiB"), 1'073'741'824U);
  EXPECT_EQ(*parse_size("0"), 0U);
}

TEST(UnitsTest, RefusesSizesThatItWouldHaveToGuess) {
  for (const char* text :
       {"", " ", "KiB", "-1", "1.5MiB", "64kib", "64 K", "64KiB ", "0x10", " 64"}) {
    const auto size = parse_size(text);
    ASSERT_FALSE(size) << text;
    EXPECT_EQ(size.error().code, Errc::invalid) << text;
  }
}

TEST(UnitsTest, SaysWhatItDidNotUnderstandAndHowToWriteIt) {
  const std::string size = parse_size("64 kilo").error().detail;
  EXPECT_NE(size.find("'64 kilo'"), std::string::npos) << size;
  EXPECT_NE(size.find("64KiB"), std::string::npos) << size;
  const std::string duration = parse_duration("30").error().detail;
  EXPECT_NE(duration.find("'30'"), std::string::npos) << duration;
  EXPECT_NE(duration.find("30s"), std::string::npos) << duration;
}

TEST(UnitsTest, RefusesWhatDoesNotFitInsteadOfWrapping) {
  EXPECT_EQ(*parse_size("9223372036854775807"), 9'223'372'036'854'775'807U);
  EXPECT_FALSE(parse_size("9223372036854775808"));
  EXPECT_FALSE(parse_size("99999999999999999999999"));
  EXPECT_FALSE(parse_size("8589934592GiB"));
  EXPECT_FALSE(parse_duration("106751991168d"));
}

TEST(UnitsTest, ReadsTimesAsPeopleWriteThem) {
  EXPECT_EQ(*parse_duration("250ms"), milliseconds(250));
  EXPECT_EQ(*parse_duration("30s"), milliseconds(30'000));
  EXPECT_EQ(*parse_duration("5 m"), milliseconds(300'000));
  EXPECT_EQ(*parse_duration("12h"), milliseconds(43'200'000));
  EXPECT_EQ(*parse_duration("7d"), milliseconds(604'800'000));
}

TEST(UnitsTest, RefusesATimeWithoutAUnit) {
  for (const char* text : {"", "30", "0", "s", "30 sec", "-1s", "1h30m"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(UnitsTest, WritesTheShortestExactForm) {
  EXPECT_EQ(format_size(65'536), "64KiB");
  EXPECT_EQ(format_size(1'048'576), "1MiB");
  EXPECT_EQ(format_size(3U * 1'073'741'824U), "3GiB");
  EXPECT_EQ(format_size(2'000'000), "2MB");
  EXPECT_EQ(format_size(1'001), "1001B");
  EXPECT_EQ(format_duration(milliseconds(250)), "250ms");
  EXPECT_EQ(format_duration(milliseconds(30'000)), "30s");
  EXPECT_EQ(format_duration(milliseconds(90'000)), "90s");
  EXPECT_EQ(format_duration(milliseconds(86'400'000)), "1d");
}

TEST(UnitsTest, ReadsBackWhatItWrote) {
  for (const std::uint64_t bytes : {0ULL, 1ULL, 999ULL, 1000ULL, 1024ULL, 1536ULL, 64'000ULL,
                                    1'048'577ULL, 5'000'000'000ULL, 9'223'372'036'854'775'807ULL}) {
    EXPECT_EQ(*parse_size(format_size(bytes)), bytes);
  }
  for (const std::int64_t count : {0LL, 1LL, 1'500LL, 60'000LL, 3'600'000LL, 3'600'001LL}) {
    EXPECT_EQ(*parse_duration(format_duration(milliseconds(count))), milliseconds(count));
  }
}

}  // namespace
}  // namespace fanfare::base
