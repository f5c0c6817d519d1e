#include "base/ip_address.hpp"

#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace fanfare::base {
namespace {

IpAddress address(std::string_view text) {
  const auto parsed = IpAddress::parse(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(*IpAddress::parse("0.0.0.0"));
}

IpNetwork network(std::string_view text) {
  auto parsed = IpNetwork::parse(text);
  EXPECT_TRUE(parsed) << text;
  return *parsed;
}

TEST(IpAddressTest, WritesWhatItReadInOneSpelling) {
  EXPECT_EQ(address("192.0.2.1").text(), "192.0.2.1");
  EXPECT_EQ(address("::1").text(), "::1");
  EXPECT_EQ(address("2001:0DB8:0:0:0:0:0:1").text(), "2001:db8::1");
  EXPECT_EQ(address("0.0.0.0").text(), "0.0.0.0");
  EXPECT_EQ(address("::").text(), "::");
  EXPECT_EQ(address("2001:db8::ffff:192.0.2.1").text(), "2001:db8::ffff:c000:201");
}

TEST(IpAddressTest, TakesAMappedAddressForTheIPv4AddressThatItIs) {
  EXPECT_EQ(address("::ffff:1.2.3.4"), address("1.2.3.4"));
  EXPECT_EQ(address("0:0:0:0:0:FFFF:0102:0304").text(), "1.2.3.4");
  EXPECT_TRUE(address("::ffff:1.2.3.4").is_v4());
  EXPECT_FALSE(address("::fffe:1.2.3.4").is_v4());
  EXPECT_FALSE(address("::1.2.3.4").is_v4());
}

TEST(IpAddressTest, TakesBytesInTheOrderOfTheNetwork) {
  constexpr std::array<std::uint8_t, 4> kV4{192, 0, 2, 1};
  EXPECT_EQ(IpAddress::v4(kV4), address("192.0.2.1"));
  constexpr std::array<std::uint8_t, 16> kV6{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0,
                                             0,    0, 0,   0,    0, 0, 0, 7};
  EXPECT_EQ(IpAddress::v6(kV6), address("2001:db8::7"));
  constexpr std::array<std::uint8_t, 16> kMapped{0, 0, 0,    0,    0, 0, 0, 0,
                                                 0, 0, 0xff, 0xff, 1, 2, 3, 4};
  EXPECT_EQ(IpAddress::v6(kMapped), address("1.2.3.4"));
}

TEST(IpAddressTest, RefusesWhatIsNotExactlyAnAddress) {
  const std::string with_nul("1.2.3.4\0", 8);
  for (const std::string& text : std::vector<std::string>{"",
                                                          " ",
                                                          "1.2.3",
                                                          "1.2.3.4.5",
                                                          "1.2.3.256",
                                                          "01.2.3.4",
                                                          "1.2.3.4 ",
                                                          " 1.2.3.4",
                                                          "1.2.3.4:80",
                                                          "0x1.2.3.4",
                                                          "[::1]",
                                                          "::1%lo",
                                                          "1::2::3",
                                                          ":::",
                                                          "g::",
                                                          "localhost",
                                                          "unknown",
                                                          std::string(1000, ':'),
                                                          std::string(46, '1'),
                                                          with_nul}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
}

TEST(IpAddressTest, RefusesEveryBeginningThatIsNoAddressByItself) {
  constexpr std::string_view kText = "192.0.2.100";
  for (std::size_t size = 0; size < kText.size(); ++size) {
    EXPECT_EQ(IpAddress::parse(kText.substr(0, size)).has_value(), size >= 9) << size;
  }
}

TEST(IpNetworkTest, ContainsTheAddressesThatBeginAsItDoes) {
  EXPECT_TRUE(network("10.0.0.0/8").contains(address("10.255.0.1")));
  EXPECT_FALSE(network("10.0.0.0/8").contains(address("11.0.0.1")));
  EXPECT_TRUE(network("172.16.0.0/12").contains(address("172.31.255.255")));
  EXPECT_FALSE(network("172.16.0.0/12").contains(address("172.32.0.0")));
  EXPECT_TRUE(network("192.0.2.4/31").contains(address("192.0.2.5")));
  EXPECT_FALSE(network("192.0.2.4/31").contains(address("192.0.2.6")));
  EXPECT_TRUE(network("2001:db8::/33").contains(address("2001:db8:7fff::1")));
  EXPECT_FALSE(network("2001:db8::/33").contains(address("2001:db8:8000::1")));
}

TEST(IpNetworkTest, OfOneAddressContainsThatAlone) {
  EXPECT_TRUE(network("127.0.0.1").contains(address("127.0.0.1")));
  EXPECT_TRUE(network("127.0.0.1/32").contains(address("::ffff:127.0.0.1")));
  EXPECT_FALSE(network("127.0.0.1").contains(address("127.0.0.2")));
  EXPECT_TRUE(network("::1").contains(address("::1")));
  EXPECT_FALSE(network("::1/128").contains(address("::2")));
}

TEST(IpNetworkTest, OfLengthZeroContainsItsWholeFamily) {
  EXPECT_TRUE(network("0.0.0.0/0").contains(address("203.0.113.9")));
  EXPECT_FALSE(network("0.0.0.0/0").contains(address("2001:db8::1")));
  EXPECT_TRUE(network("::/0").contains(address("2001:db8::1")));
}

TEST(IpNetworkTest, IsFoundAmongSeveral) {
  const std::vector networks{network("127.0.0.1"), network("fd00::/8")};
  EXPECT_TRUE(contains(networks, address("fd12::1")));
  EXPECT_FALSE(contains(networks, address("127.0.0.2")));
  EXPECT_FALSE(contains({}, address("127.0.0.1")));
}

TEST(IpNetworkTest, IsWhatIsAroundAnAddress) {
  EXPECT_EQ(IpNetwork::around(address("2001:db8:1:2:3:4:5:6"), 64), network("2001:db8:1:2::/64"));
  EXPECT_EQ(IpNetwork::around(address("192.0.2.77"), 24).text(), "192.0.2.0/24");
  for (unsigned bits = 0; bits <= 128; ++bits) {
    const auto around = IpNetwork::around(address("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"), bits);
    EXPECT_EQ(network(around.text()), around) << bits;
    EXPECT_TRUE(around.contains(address("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"))) << bits;
  }
}

TEST(IpNetworkTest, WritesWhatItRead) {
  for (const auto* text : {"10.0.0.0/8", "0.0.0.0/0", "::/0", "2001:db8::/32", "192.0.2.1", "::1"})
    EXPECT_EQ(network(text).text(), text);
  EXPECT_EQ(network("192.0.2.1/32").text(), "192.0.2.1");
}

TEST(IpNetworkTest, SaysWhatIsWrong) {
  EXPECT_EQ(IpNetwork::parse("10.0.0.1/8").error().detail,
            "'10.0.0.1/8' is not where a network begins: 10.0.0.0/8 does; write an address or a "
            "network, like \"10.0.0.7\", \"10.0.0.0/8\" or \"2001:db8::/32\"");
  for (const auto* text :
       {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08", "10.0.0.0/8/8",
        "10.0.0.0/8 ", "10.0.0/8", "::/129", "proxy.example", "10.0.0.0/4294967304"}) {
    EXPECT_FALSE(IpNetwork::parse(text)) << text;
  }
}

}  // namespace
}  // namespace fanfare::base
