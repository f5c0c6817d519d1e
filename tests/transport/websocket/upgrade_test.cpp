#include "transport/websocket/upgrade.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fanfare::transport::websocket {
namespace {

using testing::HasSubstr;

constexpr std::string_view kVersion = "Sec-WebSocket-Version: 13\r\n";
constexpr std::string_view kKey = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
constexpr std::string_view kOtherKey = "Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==\r\n";

/// `fields` are whole lines, beside those that make it a request to upgrade.
wire::http1::Response answer_to(std::string_view fields) {
  wire::http1::RequestParser parser{wire::http1::RequestLimits{}};
  const std::string text =
      "GET /bayeux HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
      std::string(fields) + "\r\n";
  EXPECT_EQ(parser.feed(text).state, wire::http1::Progress::complete) << text;
  return accept_upgrade(parser.take_request()).response;
}

std::string lines(std::initializer_list<std::string_view> parts) {
  std::string all;
  for (const auto part : parts) all += part;
  return all;
}

TEST(UpgradeTest, AcceptsOneVersionAndOneKey) {
  EXPECT_EQ(answer_to(lines({kVersion, kKey})).status, 101);
  EXPECT_EQ(answer_to(lines({kKey, kVersion})).status, 101);
}

// RFC 6455 section 11.3.1.
TEST(UpgradeTest, RefusesAKeyThatIsThereTwiceEvenIfItIsTheSame) {
  for (const auto& keys : {lines({kKey, kOtherKey}), lines({kOtherKey, kKey}), lines({kKey, kKey}),
                           lines({kKey, "sec-websocket-key:\r\n"})}) {
    const auto answer = answer_to(lines({kVersion, keys}));
    EXPECT_EQ(answer.status, 400) << keys;
    EXPECT_THAT(answer.body, HasSubstr("Sec-WebSocket-Key is there more than once")) << keys;
  }
  EXPECT_EQ(answer_to(lines({kVersion,
                             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==, "
                             "dGhlIHNhbXBsZSBub25jZQ==\r\n"}))
                .status,
            400);
}

// RFC 6455 section 11.3.5.
TEST(UpgradeTest, RefusesAVersionThatIsThereTwiceEvenIfItIsTheSame) {
  const std::string_view other = "Sec-WebSocket-Version: 8\r\n";
  for (const auto& versions :
       {lines({kVersion, kVersion}), lines({kVersion, other}), lines({other, kVersion}),
        lines({kVersion, "sec-websocket-version:\r\n"}),
        std::string("Sec-WebSocket-Version: 13, 8\r\n"),
        std::string("Sec-WebSocket-Version: 13,13\r\n")}) {
    const auto answer = answer_to(lines({versions, kKey}));
    EXPECT_EQ(answer.status, 400) << versions;
    EXPECT_THAT(answer.body, HasSubstr("Sec-WebSocket-Version is there more than once"))
        << versions;
  }
}

// Section 4.4: whoever speaks none of our versions is told which there is.
TEST(UpgradeTest, NamesTheVersionToWhoOffersOnlyOthers) {
  for (const auto* const versions :
       {"", "Sec-WebSocket-Version: 8\r\n", "Sec-WebSocket-Version: 8, 7\r\n",
        "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Version: 8\r\n",
        "Sec-WebSocket-Version: 130\r\n"}) {
    const auto answer = answer_to(lines({versions, kKey}));
    EXPECT_EQ(answer.status, 426) << versions;
    const std::pair<std::string, std::string> version("Sec-WebSocket-Version", "13");
    EXPECT_THAT(answer.headers, testing::Contains(version)) << versions;
  }
}

}  // namespace
}  // namespace fanfare::transport::websocket
