#include "base/base64.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <utility>

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace fanfare::base {
namespace {

TEST(Base64Test, AgreesWithTheVectorsOfRfc4648) {
  const std::array<std::pair<std::string_view, std::string_view>, 7> vectors{
      {{"", ""},
       {"f", "Zg=="},
       {"fo", "Zm8="},
       {"foo", "Zm9v"},
       {"foob", "Zm9vYg=="},
       {"fooba", "Zm9vYmE="},
       {"foobar", "Zm9vYmFy"}}};
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(encode_base64(bytes), text);
    EXPECT_EQ(decode_base64(text), bytes);
  }
}

TEST(Base64Test, GivesBackEveryLengthOfRandomBytesInBothAlphabets) {
  for (std::size_t size = 0; size <= 100; ++size) {
    std::array<std::uint8_t, 100> random{};
    fill_random(random);
    const std::string bytes(random.begin(), random.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(decode_base64(encode_base64(bytes)), bytes);
    EXPECT_EQ(decode_base64url(encode_base64url(bytes)), bytes);
  }
}

TEST(Base64Test, WritesTheUrlAlphabetWithoutPadding) {
  EXPECT_EQ(encode_base64("\xfb\xff\xfe!"), "+//+IQ==");
  EXPECT_EQ(encode_base64url("\xfb\xff\xfe!"), "-__-IQ");
}

TEST(Base64Test, ReadsTextWhosePaddingWasLost) {
  EXPECT_EQ(decode_base64("Zg"), "f");
  EXPECT_EQ(decode_base64("Zm8"), "fo");
}

TEST(Base64Test, RefusesTheOtherAlphabet) {
  EXPECT_EQ(decode_base64("-__-"), std::nullopt);
  EXPECT_EQ(decode_base64url("+//+"), std::nullopt);
}

TEST(Base64Test, RefusesPaddingThatDoesNotFillTheLastGroup) {
  for (const auto* text :
       {"=", "==", "====", "Zg=", "Zg===", "Zm9v=", "Zm9v==", "Zm9vYg=", "Z==="}) {
    EXPECT_EQ(decode_base64(text), std::nullopt) << text;
  }
}

TEST(Base64Test, RefusesPaddingInTheMiddle) {
  EXPECT_EQ(decode_base64("Zg==Zg=="), std::nullopt);
}

TEST(Base64Test, RefusesASingleDigitInTheLastGroup) {
  EXPECT_EQ(decode_base64("A"), std::nullopt);
  EXPECT_EQ(decode_base64("Zm9vA"), std::nullopt);
}

TEST(Base64Test, RefusesBitsAfterTheLastByte) {
  EXPECT_EQ(decode_base64("Zh=="), std::nullopt);  // "Zg==" with a stray bit
  EXPECT_EQ(decode_base64("Zm9="), std::nullopt);
  EXPECT_EQ(decode_base64url("Zh"), std::nullopt);
}

TEST(Base64Test, RefusesSpacesLineEndsAndOtherBytes) {
  for (const std::string_view text :
       {std::string_view(" Zg=="), std::string_view("Zg==\n"), std::string_view("Zm 9"),
        std::string_view("Z\0==", 4), std::string_view("\xc3\xa4==")}) {
    EXPECT_EQ(decode_base64(text), std::nullopt);
  }
}

}  // namespace
}  // namespace fanfare::base
