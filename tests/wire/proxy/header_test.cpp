#include "wire/proxy/header.hpp"

#include <array>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace fanfare::wire::proxy {
namespace {

using namespace std::string_literals;

constexpr auto kNeedMore = HeaderResult::need_more;
constexpr auto kComplete = HeaderResult::complete;
constexpr auto kFailed = HeaderResult::failed;

std::string source_of(const HeaderResult& result) {
  EXPECT_EQ(result.state, kComplete);
  return result.source ? result.source->text() : "none";
}

/// A header of version 2: `length` may claim another one than the block's.
std::string v2(char command, char family, const std::string& block, int length = -1) {
  const int claimed = length < 0 ? static_cast<int>(block.size()) : length;
  return "\r\n\r\n\0\r\nQUIT\n"s + command + family + static_cast<char>(claimed / 256) +
         static_cast<char>(claimed % 256) + block;
}

const std::string kV4Block = "\xC0\x00\x02\x01\xC6\x33\x64\x01\xDC\x04\x01\xBB"s;
const std::string kV6Block =
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x08\xDC\x04\x01\xBB"s;

TEST(ProxyHeaderTest, ReadsTheAddressOfALine) {
  const std::string line = "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n";
  const auto result = read_header(line + "GET / HTTP/1.1\r\n");
  EXPECT_EQ(source_of(result), "192.0.2.1");
  EXPECT_EQ(result.size, line.size());
  EXPECT_EQ(source_of(read_header("PROXY TCP6 2001:db8::7 ::1 0 65535\r\n")), "2001:db8::7");
  EXPECT_EQ(source_of(read_header("PROXY TCP6 ::ffff:1.2.3.4 ::ffff:1.2.3.5 1 2\r\n")), "1.2.3.4");
}

TEST(ProxyHeaderTest, KeepsThePeerWhenALineSaysUnknown) {
  EXPECT_EQ(source_of(read_header("PROXY UNKNOWN\r\n")), "none");
  const std::string longest =
      "PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535" + std::string(48, 'x') + "\r\n";
  ASSERT_EQ(longest.size(), kV1BytesMax);
  EXPECT_EQ(read_header(longest).size, kV1BytesMax);
}

TEST(ProxyHeaderTest, RefusesALineThatIsNotExactlyOne) {
  for (const auto* line :
       {"PROXY TCP4 192.0.2.1 198.51.100.1 56324\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443 \r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443 1\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.1 56324 65536\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.1 056 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.1 -1 443\r\n",
        "PROXY TCP4  192.0.2.1 198.51.100.1 56324 443\r\n",
        "PROXY TCP4 192.0.2.256 198.51.100.1 56324 443\r\n",
        "PROXY TCP4 192.0.2.1 rubbish 56324 443\r\n", "PROXY TCP4 ::1 ::1 56324 443\r\n",
        "PROXY TCP6 192.0.2.1 198.51.100.1 56324 443\r\n",
        "PROXY UDP4 192.0.2.1 198.51.100.1 56324 443\r\n",
        "PROXY tcp4 192.0.2.1 198.51.100.1 56324 443\r\n", "PROXY TCP4\r\n", "PROXY \r\n",
        "PROXY\r\n", "proxy TCP4 192.0.2.1 198.51.100.1 56324 443\r\n", " PROXY UNKNOWN\r\n",
        "GET / HTTP/1.1\r\n"}) {
    EXPECT_EQ(read_header(line).state, kFailed) << line;
  }
}

TEST(ProxyHeaderTest, RefusesALineWithoutEndAtItsHundredAndSeventhByte) {
  std::string line = "PROXY UNKNOWN ";
  while (line.size() < kV1BytesMax - 1) line += 'x';
  EXPECT_EQ(read_header(line).state, kNeedMore);
  EXPECT_EQ(read_header(line + "\r").state, kFailed);
  EXPECT_EQ(read_header(line + "\r\n").state, kFailed);
}

TEST(ProxyHeaderTest, ReadsTheAddressOfABlockAndSkipsItsExtensions) {
  EXPECT_EQ(source_of(read_header(v2(0x21, 0x11, kV4Block))), "192.0.2.1");
  EXPECT_EQ(source_of(read_header(v2(0x21, 0x21, kV6Block))), "2001:db8::7");
  const std::string extended = v2(0x21, 0x11, kV4Block + "\x02\x00\x09localhost"s);
  const auto result = read_header(extended + "GET /");
  EXPECT_EQ(source_of(result), "192.0.2.1");
  EXPECT_EQ(result.size, extended.size());
}

TEST(ProxyHeaderTest, KeepsThePeerWhenABlockHasNoAddressForUs) {
  EXPECT_EQ(source_of(read_header(v2(0x20, 0x00, ""))), "none");
  EXPECT_EQ(source_of(read_header(v2(0x20, 0x11, kV4Block))), "none");
  EXPECT_EQ(source_of(read_header(v2(0x20, 0x77, "whatever"))), "none");
  EXPECT_EQ(source_of(read_header(v2(0x21, 0x00, "whatever"))), "none");
  EXPECT_EQ(source_of(read_header(v2(0x21, 0x12, kV4Block))), "none");
  EXPECT_EQ(source_of(read_header(v2(0x21, 0x22, kV6Block))), "none");
  EXPECT_EQ(source_of(read_header(v2(0x21, 0x31, std::string(216, 'p')))), "none");
}

TEST(ProxyHeaderTest, RefusesABlockThatIsNotOne) {
  EXPECT_EQ(read_header(v2(0x11, 0x11, kV4Block)).state, kFailed);  // version 1
  EXPECT_EQ(read_header(v2(0x31, 0x11, kV4Block)).state, kFailed);  // version 3
  EXPECT_EQ(read_header(v2(0x22, 0x11, kV4Block)).state, kFailed);  // an unknown command
  for (const int family : {0x01, 0x10, 0x13, 0x20, 0x23, 0x30, 0x41, 0xff}) {
    EXPECT_EQ(read_header(v2(0x21, static_cast<char>(family), kV6Block)).state, kFailed) << family;
  }
  EXPECT_EQ(read_header(v2(0x21, 0x11, kV4Block.substr(1))).state, kFailed);
  EXPECT_EQ(read_header(v2(0x21, 0x21, kV4Block)).state, kFailed);
  EXPECT_EQ(read_header(v2(0x21, 0x31, kV6Block)).state, kFailed);
}

TEST(ProxyHeaderTest, RefusesABlockOfMoreThan4KiBBeforeItComes) {
  const int most = static_cast<int>(kHeaderBytesMax) - 16;
  EXPECT_EQ(read_header(v2(0x21, 0x11, "", most)).state, kNeedMore);
  EXPECT_EQ(read_header(v2(0x21, 0x11, "", most + 1)).state, kFailed);
  EXPECT_EQ(read_header(v2(0x20, 0x00, "", 65535)).state, kFailed);
  const std::string whole = v2(0x21, 0x11, kV4Block + std::string(most - 12, 'x'));
  EXPECT_EQ(read_header(whole).size, kHeaderBytesMax);
}

TEST(ProxyHeaderTest, WaitsForTheRestWhereverTheNetworkCutsIt) {
  for (const std::string& header :
       {"PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n"s, "PROXY UNKNOWN\r\n"s,
        v2(0x21, 0x11, kV4Block), v2(0x21, 0x21, kV6Block + "\x02\x00\x01x"s), v2(0x20, 0, "")}) {
    for (std::size_t size = 0; size < header.size(); ++size) {
      EXPECT_EQ(read_header(std::string_view(header).substr(0, size)).state, kNeedMore) << size;
    }
    EXPECT_EQ(read_header(header).size, header.size());
  }
}

TEST(ProxyHeaderTest, SaysAtOnceThatSomethingElseIsSpoken) {
  EXPECT_EQ(read_header("G").state, kFailed);
  EXPECT_EQ(read_header("PRI * HTTP/2.0").state, kFailed);
  EXPECT_EQ(read_header("\r\n\r\nG").state, kFailed);
  EXPECT_EQ(read_header("\x16\x03\x01").state, kFailed);
}

}  // namespace
}  // namespace fanfare::wire::proxy
