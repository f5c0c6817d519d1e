#include "wire/websocket/deflate.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fanfare::wire::websocket {
namespace {

using namespace std::string_literals;

constexpr std::string_view kPlainAnswer =
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/// The response to the offer; "none" if it is declined.
std::string answer(std::string_view offer) {
  const auto agreement = negotiate_deflate(offer);
  return agreement ? agreement->response : "none";
}

TEST(NegotiateDeflateTest, NeverKeepsAContext) {
  EXPECT_EQ(answer("permessage-deflate"), kPlainAnswer);
  EXPECT_EQ(answer("permessage-deflate; client_max_window_bits"), kPlainAnswer);  // browsers
  EXPECT_EQ(answer("permessage-deflate; client_no_context_takeover; server_no_context_takeover"),
            kPlainAnswer);
  EXPECT_EQ(answer("permessage-deflate;client_max_window_bits=8"), kPlainAnswer);
  EXPECT_EQ(answer("permessage-deflate; client_max_window_bits=\"15\""), kPlainAnswer);
}

TEST(NegotiateDeflateTest, RepeatsTheWindowThatTheClientAsksFor) {
  const auto agreement = negotiate_deflate("permessage-deflate; server_max_window_bits=10");
  ASSERT_TRUE(agreement);
  EXPECT_EQ(agreement->server_window_bits, 10);
  EXPECT_EQ(agreement->response, std::string(kPlainAnswer) + "; server_max_window_bits=10");
  EXPECT_EQ(answer("permessage-deflate; server_max_window_bits=\"15\""),
            std::string(kPlainAnswer) + "; server_max_window_bits=15");
}

TEST(NegotiateDeflateTest, DeclinesAWindowThatZlibCannotMakeAndTakesTheNextOffer) {
  EXPECT_EQ(answer("permessage-deflate; server_max_window_bits=8"), "none");
  EXPECT_EQ(answer("permessage-deflate; server_max_window_bits=8, permessage-deflate"),
            kPlainAnswer);
}

TEST(NegotiateDeflateTest, DeclinesOffersWithWrongParameters) {
  for (const char* parameter :
       {"unknown", "server_no_context_takeover=1", "client_no_context_takeover=true",
        "server_max_window_bits", "server_max_window_bits=7", "server_max_window_bits=16",
        "server_max_window_bits=09", "server_max_window_bits=+9", "client_max_window_bits=0",
        "client_max_window_bits=16", "client_max_window_bits=x",
        "server_no_context_takeover; server_no_context_takeover",
        "client_max_window_bits; client_max_window_bits=9",
        "server_max_window_bits=9; server_max_window_bits=9"}) {
    EXPECT_EQ(answer("permessage-deflate; "s + parameter), "none") << parameter;
    EXPECT_EQ(answer("permessage-deflate; "s + parameter + ", permessage-deflate"), kPlainAnswer)
        << parameter;
  }
}

TEST(NegotiateDeflateTest, LooksPastOtherExtensions) {
  EXPECT_EQ(answer("x-webkit-deflate-frame, permessage-bzip2; a=\"b, permessage-deflate; \\\"\" ,"
                   ",permessage-deflate"),
            kPlainAnswer);
  EXPECT_EQ(answer("x-permessage-deflate"), "none");
  EXPECT_EQ(answer(""), "none");
}

TEST(NegotiateDeflateTest, TakesNothingFromAListThatIsMalformed) {
  for (const char* bad : {"permessage-deflate;", "permessage-deflate; =", "permessage-deflate x",
                          "permessage-deflate; client_max_window_bits=",
                          "permessage-deflate; client_max_window_bits=\"9", "=, permessage-deflate",
                          "a; b=\"c, permessage-deflate", "a; b=\"\\"}) {
    EXPECT_EQ(answer(bad), "none") << bad;
  }
}

TEST(InflaterTest, ReadsTheExamplesOfTheRfc) {
  Inflater inflater;
  for (const std::string& payload :
       {"\xf2\x48\xcd\xc9\xc9\x07\x00"s,                             // 7.2.3.1: one block
        "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"s,             // 7.2.3.3: not compressed
        "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"s,                         // 7.2.3.4: a last block
        "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"s}) {  // 7.2.3.5: two blocks
    const auto result = inflater.inflate(payload, 5);
    EXPECT_EQ(result.status, Inflater::Result::ok);
    EXPECT_EQ(result.message, "Hello");
  }
  EXPECT_EQ(inflater.inflate("\x00"s, 5).message, "");
}

TEST(DeflaterTest, IsUndoneByTheInflaterForEveryWindow) {
  Deflater deflater;
  Inflater inflater;
  std::string message;
  for (int i = 0; i < 3000; ++i) message += "{\"channel\":\"/comments-" + std::to_string(i) + "\"}";
  for (int bits = kWindowBitsMin; bits <= kWindowBitsMax; ++bits) {
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{1}, std::size_t{300}, message.size()}) {
      const std::string_view part = std::string_view(message).substr(0, size);
      const std::string payload = deflater.compress(part, bits);
      const auto result = inflater.inflate(payload, message.size());
      ASSERT_EQ(result.status, Inflater::Result::ok) << bits;
      EXPECT_EQ(result.message, part);
    }
  }
  EXPECT_LT(deflater.compress(message).size(), message.size() / 4);
  EXPECT_EQ(deflater.compress(""), "\x00"s);  // section 7.2.3.6
}

TEST(DeflaterTest, CarriesNothingFromOneMessageToTheNext) {
  Deflater deflater;
  const std::string first = deflater.compress("hello hello");
  EXPECT_EQ(deflater.compress("hello hello"), first);
}

TEST(InflaterTest, StopsAtTheLimit) {
  Deflater deflater;
  Inflater inflater;
  const std::string bomb = deflater.compress(std::string(50'000'000, 'x'));
  ASSERT_LT(bomb.size(), 100'000U);
  EXPECT_EQ(inflater.inflate(bomb, 65'536).status, Inflater::Result::too_large);

  const std::string exact = deflater.compress(std::string(65'536, 'x'));
  EXPECT_EQ(inflater.inflate(exact, 65'536).status, Inflater::Result::ok);
  EXPECT_EQ(inflater.inflate(exact, 65'535).status, Inflater::Result::too_large);
  EXPECT_EQ(inflater.inflate(exact, 0).status, Inflater::Result::too_large);
}

TEST(InflaterTest, RefusesWhatIsCorruptOrCut) {
  Inflater inflater;
  EXPECT_EQ(inflater.inflate("\xff\xff", 100).status, Inflater::Result::corrupt);
  EXPECT_EQ(inflater.inflate("\x02\x01\x00\x00", 100).status, Inflater::Result::corrupt);
  // Even an empty message has a byte, section 7.2.3.6.
  EXPECT_EQ(inflater.inflate("", 100).status, Inflater::Result::corrupt);

  const std::string payload = Deflater().compress("hello, hello, hello");
  for (std::size_t cut = 1; cut < payload.size(); ++cut) {
    const auto result = inflater.inflate(std::string_view(payload).substr(0, cut), 100);
    EXPECT_NE(result.message, "hello, hello, hello") << cut;
  }
  // And the next message does not suffer from it.
  EXPECT_EQ(inflater.inflate(payload, 100).message, "hello, hello, hello");
}

}  // namespace
}  // namespace fanfare::wire::websocket
