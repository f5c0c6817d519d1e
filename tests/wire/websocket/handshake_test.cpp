#include "wire/websocket/handshake.hpp"

#include <gtest/gtest.h>

namespace fanfare::wire::websocket {
namespace {

TEST(HandshakeTest, AcceptsTheKeyOfTheRfc) {
  EXPECT_TRUE(is_valid_key("dGhlIHNhbXBsZSBub25jZQ=="));
  EXPECT_EQ(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(HandshakeTest, RefusesKeysThatAreNotSixteenBytesOfBase64) {
  for (const char* bad : {"", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ=", "AAAA==",
                          "dGhlIHNhbXBsZSBub25jZQQ=", "dGhlIHNhbXBsZSBub25jZQ===",
                          "dGhlIHNhbXBsZSBub25j-_==", "dGhlIHNhbXBsZSBub25j Q=="}) {
    EXPECT_FALSE(is_valid_key(bad)) << bad;
  }
}

TEST(HandshakeTest, ChoosesTheFirstSubprotocolOffered) {
  EXPECT_EQ(first_subprotocol("bayeux"), "bayeux");
  EXPECT_EQ(first_subprotocol(" , v1.bayeux ,other"), "v1.bayeux");
  EXPECT_EQ(first_subprotocol(""), "");
  EXPECT_EQ(first_subprotocol("no token, other"), "");
  EXPECT_EQ(first_subprotocol("a\r\nb"), "");
}

}  // namespace
}  // namespace fanfare::wire::websocket
