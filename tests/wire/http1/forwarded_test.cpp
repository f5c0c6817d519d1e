#include "wire/http1/forwarded.hpp"

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fanfare::wire::http1 {
namespace {

using base::IpAddress;
using base::IpNetwork;
using testing::ElementsAre;
using testing::IsEmpty;

using Cut = std::optional<IpAddress> (*)(std::string_view&);

/// All addresses from the right, until one cannot be read.
std::vector<std::string> read(std::string_view list, Cut cut) {
  std::vector<std::string> texts;
  while (const auto address = cut(list)) texts.push_back(address->text());
  return texts;
}
std::vector<std::string> forwarded(std::string_view list) {
  return read(list, cut_forwarded);
}
std::vector<std::string> forwarded_for(std::string_view list) {
  return read(list, cut_forwarded_for);
}

Request request_with(std::initializer_list<std::string_view> lines) {
  std::string head = "GET / HTTP/1.1\r\nHost: x\r\n";
  for (const auto line : lines) head.append(line).append("\r\n");
  head += "\r\n";
  RequestParser parser({});
  EXPECT_EQ(parser.feed(head).state, Progress::complete);
  return parser.take_request();
}

/// Of a request from 127.0.0.1; that, 10.0.0.0/8 and ::1 are trusted.
std::string visitor(std::initializer_list<std::string_view> lines,
                    std::string_view peer = "127.0.0.1") {
  const std::vector trusted{*IpNetwork::parse("127.0.0.1"), *IpNetwork::parse("10.0.0.0/8"),
                            *IpNetwork::parse("::1")};
  return visitor_of(request_with(lines), *IpAddress::parse(peer), trusted).text();
}

// ---- Elements

TEST(ForwardedTest, ReadsTheNodesOfRfc7239FromTheRight) {
  EXPECT_THAT(forwarded("for=192.0.2.43, for=198.51.100.17;by=203.0.113.60;proto=http"),
              ElementsAre("198.51.100.17", "192.0.2.43"));
  EXPECT_THAT(forwarded(R"(For="[2001:db8:cafe::17]:4711")"), ElementsAre("2001:db8:cafe::17"));
  EXPECT_THAT(forwarded(R"(for="[2001:db8::1]", for="192.0.2.1:80")"),
              ElementsAre("192.0.2.1", "2001:db8::1"));
  EXPECT_THAT(forwarded("proto=http ; FOR = 192.0.2.1 ; by=x"), ElementsAre("192.0.2.1"));
}

TEST(ForwardedTest, ReadsWhatCarelessProxiesDoNotQuote) {
  EXPECT_THAT(forwarded("for=[2001:db8::1]:80, for=2001:db8::2, for=192.0.2.1:80"),
              ElementsAre("192.0.2.1", "2001:db8::2", "2001:db8::1"));
}

TEST(ForwardedTest, SkipsEmptyElements) {
  EXPECT_THAT(forwarded(", for=192.0.2.1,, ,for=192.0.2.2, "),
              ElementsAre("192.0.2.2", "192.0.2.1"));
  EXPECT_THAT(forwarded_for(",192.0.2.1,, ,192.0.2.2, "), ElementsAre("192.0.2.2", "192.0.2.1"));
}

TEST(ForwardedTest, LooksForCommasAndSemicolonsOutsideOfQuotesOnly) {
  EXPECT_THAT(forwarded(R"(host="a,for=9.9.9.9;b";for=192.0.2.1, for=192.0.2.2;x="\",;\\")"),
              ElementsAre("192.0.2.2", "192.0.2.1"));
}

TEST(ForwardedTest, DoesNotReadWhatIsNoAddress) {
  for (const auto* list : {"",
                           " ",
                           ",",
                           "for=",
                           "for",
                           "for=unknown",
                           "for=_hidden",
                           "for=\"_gazonk\"",
                           "by=192.0.2.1",
                           "for=\"192.0.2.1",
                           "for=192.0.2.1\"",
                           "for=\"\"192.0.2.1",
                           "for=\"192.0.2.1\"x",
                           "for=192.0.2.1;for=192.0.2.2",
                           "for=192.0.2.256",
                           "for=\"[192.0.2.1]\"",
                           "for=\"[::1\"",
                           "for=\"[::1]80\"",
                           "for=\"[::1]:\"",
                           "for=192.0.2.1:123456",
                           "for=192.0.2.1:http",
                           "for=\"192.0.2.\\1\"",
                           "\"",
                           "\"\"",
                           "\\\"",
                           "for=example.com"}) {
    EXPECT_THAT(forwarded(list), IsEmpty()) << list;
  }
}

TEST(ForwardedTest, LetsNoOpenQuoteSwallowWhatStandsBehindIt) {
  for (const auto* visitors : {"\"", "for=\"", "for=9.9.9.9;x=\"", "for=9.9.9.9;x=\"\\", "\\\"",
                               "for=\"9.9.9.9\";x=\"a\\\"", "\"\"\""}) {
    for (const auto* appended : {"for=192.0.2.1", "for=\"192.0.2.1:80\"",
                                 "for=192.0.2.1;host=\"a,\\\"b\"", "by=\"\";for=\"192.0.2.1\""}) {
      const std::string all = std::string(visitors) + ", " + appended;
      std::string_view list = all;
      const auto address = cut_forwarded(list);
      ASSERT_TRUE(address) << all;
      EXPECT_EQ(address->text(), "192.0.2.1") << all;
      EXPECT_EQ(list, visitors);
    }
  }
}

TEST(ForwardedTest, ReadsXForwardedForWithAndWithoutPorts) {
  EXPECT_THAT(forwarded_for("2001:db8::1, [2001:db8::2]:80, 192.0.2.1:4711,\t192.0.2.2"),
              ElementsAre("192.0.2.2", "192.0.2.1", "2001:db8::2", "2001:db8::1"));
  EXPECT_THAT(forwarded_for("192.0.2.1, unknown, 192.0.2.2"), ElementsAre("192.0.2.2"));
  EXPECT_THAT(forwarded_for("192.0.2.1 192.0.2.2"), IsEmpty());
  EXPECT_THAT(forwarded_for("::ffff:192.0.2.1"), ElementsAre("192.0.2.1"));
}

TEST(ForwardedTest, ReadsEveryBeginningOfAListWithoutGoingPastIt) {
  const std::string list = R"(for=192.0.2.1;by="\"x", for="[2001:db8::1]:80" , for=192.0.2.3)";
  for (std::size_t size = 0; size <= list.size(); ++size) {
    const std::string beginning = list.substr(0, size);  // its own block, for the sanitizer
    for (const auto cut : {cut_forwarded, cut_forwarded_for}) {
      std::string_view rest = beginning;
      const bool has_address = cut(rest).has_value();
      EXPECT_TRUE(beginning.starts_with(rest));
      EXPECT_TRUE(!has_address || rest.size() < beginning.size());
    }
  }
}

// ---- Whom to believe

TEST(ForwardedTest, KeepsThePeerThatIsNotTrustedWhateverItSays) {
  EXPECT_EQ(visitor({"X-Forwarded-For: 192.0.2.1"}, "203.0.113.9"), "203.0.113.9");
  EXPECT_EQ(visitor({"Forwarded: for=192.0.2.1"}, "127.0.0.2"), "127.0.0.2");
  EXPECT_EQ(
      visitor_of(request_with({"X-Forwarded-For: 192.0.2.1"}), *IpAddress::parse("127.0.0.1"), {})
          .text(),
      "127.0.0.1");
}

TEST(ForwardedTest, KeepsATrustedPeerThatSaysNothing) {
  EXPECT_EQ(visitor({}), "127.0.0.1");
  EXPECT_EQ(visitor({"X-Forwarded-For:"}), "127.0.0.1");
  EXPECT_EQ(visitor({"X-Real-IP: 192.0.2.1"}), "127.0.0.1");
}

TEST(ForwardedTest, TakesTheRightMostAddressThatIsNotTrusted) {
  EXPECT_EQ(visitor({"X-Forwarded-For: 192.0.2.1"}), "192.0.2.1");
  EXPECT_EQ(visitor({"X-Forwarded-For: 9.9.9.9, 192.0.2.1, 10.1.2.3"}), "192.0.2.1");
  EXPECT_EQ(visitor({"Forwarded: for=9.9.9.9, for=192.0.2.1, for=\"[::1]:5\""}), "192.0.2.1");
  EXPECT_EQ(visitor({"X-Forwarded-For: 192.0.2.1"}, "::ffff:127.0.0.1"), "192.0.2.1");
}

TEST(ForwardedTest, TakesTheFirstProxyWhenAllAreTrusted) {
  EXPECT_EQ(visitor({"X-Forwarded-For: 10.0.0.1, 10.0.0.2"}), "10.0.0.1");
}

TEST(ForwardedTest, StopsAtTheLastAddressItKnowsBeforeWhatItCannotRead) {
  EXPECT_EQ(visitor({"X-Forwarded-For: 9.9.9.9, unknown"}), "127.0.0.1");
  EXPECT_EQ(visitor({"X-Forwarded-For: 9.9.9.9, rubbish, 10.0.0.2"}), "10.0.0.2");
  EXPECT_EQ(visitor({"Forwarded: for=9.9.9.9, for=_hidden, for=10.0.0.2"}), "10.0.0.2");
  EXPECT_EQ(visitor({"Forwarded: for=9.9.9.9, proto=https, for=10.0.0.2"}), "10.0.0.2");
}

TEST(ForwardedTest, TakesSeveralLinesForOneListInTheirOrder) {
  EXPECT_EQ(visitor({"X-Forwarded-For: 9.9.9.9", "X-Forwarded-For: 192.0.2.1", "X: y",
                     "x-forwarded-for: 10.0.0.1"}),
            "192.0.2.1");
  EXPECT_EQ(visitor({"Forwarded: for=9.9.9.9;x=\"", "Forwarded: for=192.0.2.1"}), "192.0.2.1");
}

TEST(ForwardedTest, PrefersForwarded) {
  EXPECT_EQ(visitor({"X-Forwarded-For: 192.0.2.1", "Forwarded: for=192.0.2.2"}), "192.0.2.2");
  EXPECT_EQ(visitor({"X-Forwarded-For: 192.0.2.1", "Forwarded: for=unknown"}), "127.0.0.1");
}

TEST(ForwardedTest, FollowsSoManyProxiesAndNoMore) {
  std::string line = "X-Forwarded-For: 192.0.2.1";
  for (int i = 0; i < 31; ++i) line += ", 10.0.0.1";
  EXPECT_EQ(visitor({line}), "192.0.2.1");
  EXPECT_EQ(visitor({line + ", 10.0.0.1"}), "10.0.0.1");
}

}  // namespace
}  // namespace fanfare::wire::http1
