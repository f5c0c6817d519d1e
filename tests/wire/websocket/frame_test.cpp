#include "wire/websocket/frame.hpp"

#include <string>

#include <gtest/gtest.h>

#include "wire/websocket/client_frame.hpp"

namespace fanfare::wire::websocket {
namespace {

using namespace std::string_view_literals;

constexpr std::uint64_t kLengths[] = {0, 1, 125, 126, 127, 0xffff, 0x10000, 0x7fffffffffffffff};

TEST(FrameHeaderTest, ReadsTheMaskedHelloOfTheRfc) {
  const auto result = parse_frame_header("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"sv);
  ASSERT_EQ(result.state, FrameHeaderResult::complete);
  EXPECT_TRUE(result.header.is_final);
  EXPECT_FALSE(result.header.rsv1);
  EXPECT_EQ(result.header.opcode, Opcode::text);
  EXPECT_EQ(result.header.payload_length, 5U);
  EXPECT_EQ(result.header.header_length, 6U);
  EXPECT_EQ(result.header.masking_key, (MaskingKey{'\x37', '\xfa', '\x21', '\x3d'}));
}

TEST(FrameHeaderTest, ReadsEveryLengthThatIsWritten) {
  for (const std::uint64_t length : kLengths) {
    std::string bytes(kServerHeaderBytesMax, '\0');
    bytes.resize(write_header(bytes.data(), Opcode::binary, length, true));
    bytes[1] = static_cast<char>(bytes[1] | 0x80);
    bytes += "mask";
    const auto result = parse_frame_header(bytes);
    ASSERT_EQ(result.state, FrameHeaderResult::complete) << length;
    EXPECT_EQ(result.header.payload_length, length);
    EXPECT_EQ(result.header.header_length, bytes.size());
    EXPECT_EQ(result.header.opcode, Opcode::binary);
    EXPECT_TRUE(result.header.rsv1);
    for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
      EXPECT_EQ(parse_frame_header(std::string_view(bytes).substr(0, cut)).state,
                FrameHeaderResult::need_more);
    }
  }
}

struct BadHeader {
  std::string_view what;
  std::string_view bytes;
};

TEST(FrameHeaderTest, RefusesWhatTheRfcForbids) {
  const BadHeader kBad[] = {
      {"RSV2", "\xa1\x80"sv},
      {"RSV3", "\x91\x80"sv},
      {"RSV1 on a continuation", "\xc0\x80"sv},
      {"RSV1 on a ping", "\xc9\x80"sv},
      {"opcode 3", "\x83\x80"sv},
      {"opcode 7", "\x87\x80"sv},
      {"opcode 11", "\x8b\x80"sv},
      {"opcode 15", "\x8f\x80"sv},
      {"no mask", "\x81\x05"sv},
      {"a fragmented ping", "\x09\x80"sv},
      {"a fragmented close", "\x08\x80"sv},
      {"a ping of 126 bytes", "\x89\xfe"sv},
      {"a close with a long length", "\x88\xff"sv},
      {"125 in two bytes", "\x81\xfe\x00\x7d"sv},
      {"65535 in eight bytes", "\x81\xff\x00\x00\x00\x00\x00\x00\xff\xff"sv},
      {"a length of 2^63", "\x81\xff\x80\x00\x00\x00\x00\x00\x00\x00"sv},
  };
  for (const BadHeader& bad : kBad) {
    const auto result = parse_frame_header(bad.bytes);
    EXPECT_EQ(result.state, FrameHeaderResult::violation) << bad.what;
    EXPECT_FALSE(result.reason.empty()) << bad.what;
    EXPECT_EQ(parse_frame_header(bad.bytes.substr(0, 1)).state, FrameHeaderResult::need_more);
  }
}

TEST(MaskTest, IsTheSameWordwiseAndBytewise) {
  const MaskingKey key{'\x01', '\x80', '\xff', '\x5a'};
  for (std::size_t size = 0; size < 40; ++size) {
    for (std::size_t offset = 0; offset < 5; ++offset) {
      std::string bytes(size, 'x');
      apply_mask(bytes, key, offset);
      for (std::size_t i = 0; i < size; ++i) {
        ASSERT_EQ(bytes[i], static_cast<char>('x' ^ key[(offset + i) % 4])) << size << offset;
      }
      apply_mask(bytes, key, offset);
      EXPECT_EQ(bytes, std::string(size, 'x'));
    }
  }
}

TEST(EncodeFrameTest, WritesTheExamplesOfTheRfc) {
  EXPECT_EQ(encode_frame(Opcode::text, "Hello"), "\x81\x05Hello");
  EXPECT_EQ(encode_frame(Opcode::ping, "Hello"), "\x89\x05Hello");
  EXPECT_EQ(encode_frame(Opcode::text, "x", true), "\xc1\x01x");
  EXPECT_EQ(encode_frame(Opcode::binary, std::string(256, 'x')),
            std::string("\x82\x7e\x01\x00"sv) + std::string(256, 'x'));
  EXPECT_EQ(encode_frame(Opcode::binary, std::string(65536, 'x')).substr(0, 10),
            "\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"sv);
}

TEST(EncodeCloseTest, CarriesCodeAndReason) {
  EXPECT_EQ(encode_close(kNormalClosure), "\x88\x02\x03\xe8");
  EXPECT_EQ(encode_close(kGoingAway, "bye"),
            "\x88\x05\x03\xe9"
            "bye");
  EXPECT_EQ(encode_close(kNoCloseCode, "never sent"), "\x88\x00"sv);
}

TEST(EncodeCloseTest, CutsALongReasonBetweenTwoCharacters) {
  EXPECT_EQ(encode_close(1000, std::string(200, 'x')).size(), 2U + 125U);
  const std::string umlaut = "\xc3\xa4";
  EXPECT_EQ(encode_close(1000, std::string(122, 'x') + umlaut).size(), 2U + 124U);
  EXPECT_EQ(encode_close(1000, std::string(121, 'x') + umlaut + "y").size(), 2U + 125U);
  // Not UTF-8 at all: nothing of it is sent, rather than half of it.
  EXPECT_EQ(encode_close(1000, std::string(200, '\x80')).size(), 2U + 2U);
}

TEST(CloseCodeTest, IsSendableIfTheRegistryOrTheApplicationHasIt) {
  for (const int code : {1000, 1001, 1002, 1003, 1007, 1011, 1012, 1013, 1014, 3000, 4999}) {
    EXPECT_TRUE(is_sendable(static_cast<CloseCode>(code))) << code;
  }
  for (const int code : {0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65535}) {
    EXPECT_FALSE(is_sendable(static_cast<CloseCode>(code))) << code;
  }
}

}  // namespace
}  // namespace fanfare::wire::websocket
