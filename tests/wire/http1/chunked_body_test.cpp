#include "wire/http1/chunked_body.hpp"

#include <string>

#include <gtest/gtest.h>

namespace fanfare::wire::http1 {
namespace {

constexpr std::string_view kWire = "3\r\nabc\r\n0002;x=y\r\nde\r\n0\r\nX: y\r\n\r\n";

TEST(ChunkedBodyTest, ConsumesNothingBehindItsEnd) {
  ChunkedBody chunks;
  std::string body;
  const auto progress = chunks.feed(std::string(kWire) + "GET /", body, 100);
  EXPECT_EQ(progress.state, ChunkedBody::State::complete);
  EXPECT_EQ(progress.consumed, kWire.size());
  EXPECT_EQ(body, "abcde");
}

TEST(ChunkedBodyTest, ConsumesEverythingBeforeItsEnd) {
  for (std::size_t cut = 0; cut < kWire.size(); ++cut) {
    ChunkedBody chunks;
    std::string body;
    const auto first = chunks.feed(kWire.substr(0, cut), body, 100);
    ASSERT_EQ(first.state, ChunkedBody::State::need_more) << cut;
    ASSERT_EQ(first.consumed, cut);
    const auto second = chunks.feed(kWire.substr(cut), body, 100);
    EXPECT_EQ(second.state, ChunkedBody::State::complete) << cut;
    EXPECT_EQ(body, "abcde");
  }
}

TEST(ChunkedBodyTest, StopsAtTheSizeThatWouldPassTheLimit) {
  ChunkedBody chunks;
  std::string body;
  EXPECT_EQ(chunks.feed("3\r\nabc\r\n3", body, 5).state, ChunkedBody::State::body_too_large);
  EXPECT_EQ(body, "abc");
}

}  // namespace
}  // namespace fanfare::wire::http1
