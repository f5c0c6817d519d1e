#include "protocol/bayeux/session_id.hpp"

#include <cstdint>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace fanfare::protocol::bayeux {
namespace {

core::WorkerIndex worker(std::size_t index) {
  return core::WorkerIndex(static_cast<std::uint8_t>(index));
}

TEST(SessionIdTest, IsTwentyEightSmallLettersAndDigits) {
  const std::string text = SessionId::make(worker(0)).text();
  EXPECT_EQ(text.size(), 28U);
  EXPECT_EQ(text.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz"), std::string::npos);
}

TEST(SessionIdTest, ComesBackFromItsTextWithItsWorker) {
  for (std::size_t i = 0; i < core::kWorkersMax; ++i) {
    const SessionId id = SessionId::make(worker(i));
    const auto read = SessionId::parse(id.text());
    ASSERT_TRUE(read) << id.text();
    EXPECT_EQ(*read, id);
    EXPECT_EQ(read->worker(), worker(i));
    EXPECT_EQ(read->text(), id.text());
  }
}

TEST(SessionIdTest, NoTwoAreAlikeBeyondTheirWorker) {
  std::set<std::string> ids;
  std::set<std::string> tails;
  for (int i = 0; i < 1000; ++i) {
    ids.insert(SessionId::make(worker(7)).text());
    tails.insert(SessionId::make(worker(7)).text().substr(16));
  }
  EXPECT_EQ(ids.size(), 1000U);
  EXPECT_EQ(tails.size(), 1000U);
}

TEST(SessionIdTest, RefusesTextsOfAnyOtherLength) {
  const std::string text = SessionId::make(worker(0)).text();
  for (std::size_t length = 0; length < text.size(); ++length) {
    EXPECT_FALSE(SessionId::parse(text.substr(0, length)));
  }
  EXPECT_FALSE(SessionId::parse(text + "0"));
}

TEST(SessionIdTest, RefusesEveryStrangeCharacterInEveryPlace) {
  const std::string text = "00" + std::string(26, '0');
  ASSERT_TRUE(SessionId::parse(text));
  for (std::size_t place = 0; place < text.size(); ++place) {
    for (const char strange : {'A', 'Z', '-', '/', ' ', '\0', '\n', '\xe9', '`', '{'}) {
      std::string wrong = text;
      wrong[place] = strange;
      EXPECT_FALSE(SessionId::parse(wrong)) << place << ' ' << strange;
    }
    if (place < 2) continue;
    std::string wrong = text;  // the secret is in base 32
    wrong[place] = 'w';
    EXPECT_FALSE(SessionId::parse(wrong)) << place;
  }
}

TEST(SessionIdTest, RefusesWorkersThatCannotBe) {
  EXPECT_TRUE(SessionId::parse("1r" + std::string(26, '0')));   // 63
  EXPECT_FALSE(SessionId::parse("1s" + std::string(26, '0')));  // 64
  EXPECT_FALSE(SessionId::parse("zz" + std::string(26, '0')));
}

TEST(SessionIdTest, HasOneSpellingOnly) {
  // The last digit has two bits to spare.
  int accepted = 0;
  for (const char last : std::string("0123456789abcdefghijklmnopqrstuv")) {
    const auto id = SessionId::parse("00" + std::string(25, '0') + last);
    if (!id) continue;
    ++accepted;
    EXPECT_EQ(id->text().back(), last);
  }
  EXPECT_EQ(accepted, 8);
}

TEST(SessionIdTest, DiffersWhenAnyBitDiffers) {
  const std::string text(28, '0');
  const SessionId zero = *SessionId::parse(text);
  for (std::size_t place = 1; place + 1 < text.size(); ++place) {
    std::string other = text;
    other[place] = '1';
    EXPECT_NE(*SessionId::parse(other), zero) << place;
  }
}

}  // namespace
}  // namespace fanfare::protocol::bayeux
