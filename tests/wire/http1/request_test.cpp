#include "wire/http1/request.hpp"

#include <ostream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/http1/fed_requests.hpp"

namespace fanfare::wire::http1 {
namespace {

using testing::Eq;
using testing::Optional;

FedRequests fed(std::string_view input, const RequestLimits& limits = {}) {
  FedRequests requests(limits);
  requests.feed(input);
  return requests;
}

/// The one request that `input` is.
Request parsed(std::string_view input) {
  FedRequests requests = fed(input);
  EXPECT_EQ(requests.requests().size(), 1U) << requests.summary();
  return requests.requests().empty() ? Request() : requests.requests().front();
}

/// A GET with these fields (each with its line end) besides Host.
Request with_fields(std::string_view fields) {
  return parsed("GET / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n");
}

constexpr std::string_view kPublish =
    "POST /realm/myrealm/publish/?a=b HTTP/1.1\r\n"
    "Host: API.fanout.io:8080\r\n"
    "User-Agent: python-requests/2.12.1\r\n"
    "Content-Type: application/json\r\n"
    "content-length: 12\r\n"
    "\r\n"
    "{\"items\":[]}";

constexpr std::string_view kChunked =
    "POST /bayeux HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
    "5\r\nhello\r\n1;name=\"value\";other\r\n,\r\n00A  ; x\r\n0123456789\r\n"
    "0\r\nTrailer: ignored\r\nHost: b\r\n\r\n";

TEST(RequestTest, ReadsWhatAPublisherSends) {
  Request request = parsed(kPublish);
  EXPECT_EQ(request.method(), "POST");
  EXPECT_EQ(request.target(), "/realm/myrealm/publish/?a=b");
  EXPECT_EQ(request.path(), "/realm/myrealm/publish/");
  EXPECT_EQ(request.query(), "a=b");
  EXPECT_EQ(request.host(), "api.fanout.io");
  EXPECT_EQ(request.host_with_port(), "api.fanout.io:8080");
  EXPECT_THAT(request.header("CONTENT-TYPE"), Optional(Eq("application/json")));
  EXPECT_FALSE(request.has_header("Content"));
  EXPECT_FALSE(request.is_http_1_0());
  EXPECT_TRUE(request.keep_alive());
  EXPECT_EQ(request.body(), "{\"items\":[]}");
  EXPECT_EQ(request.take_body(), "{\"items\":[]}");
}

TEST(RequestTest, StaysWholeWhenMoved) {
  // Short enough for a string to keep its bytes inside itself.
  Request request = parsed("GET /x HTTP/1.0\r\n\r\n");
  const Request moved = std::move(request);
  EXPECT_EQ(moved.path(), "/x");
  EXPECT_EQ(moved.method(), "GET");
}

TEST(RequestTest, JoinsTheChunksOfABodyAndForgetsTheirTrailers) {
  const Request request = parsed(kChunked);
  EXPECT_EQ(request.body(), "hello,0123456789");
  EXPECT_FALSE(request.has_header("Trailer"));
  EXPECT_EQ(request.host(), "a");
}

TEST(RequestTest, ReadsThePathOfAnAbsoluteTargetAndBelievesItsAuthority) {
  const Request request =
      parsed("POST http://API.fanout.io:80/realm/x?q HTTP/1.1\r\nHost: other\r\n\r\n");
  EXPECT_EQ(request.path(), "/realm/x");
  EXPECT_EQ(request.query(), "q");
  EXPECT_EQ(request.host(), "api.fanout.io");
  EXPECT_EQ(request.target(), "http://API.fanout.io:80/realm/x?q");

  const Request bare = parsed("GET HTTPS://a?q HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(bare.path(), "/");
  EXPECT_EQ(bare.query(), "q");
}

TEST(RequestTest, KeepsTheBracketsOfAnIpv6Host) {
  const Request request = parsed("GET / HTTP/1.1\r\nHost: [::FFFF:127.0.0.1]:8400\r\n\r\n");
  EXPECT_EQ(request.host(), "[::ffff:127.0.0.1]");
  EXPECT_EQ(request.host_with_port(), "[::ffff:127.0.0.1]:8400");
}

TEST(RequestTest, HasNoHostIfTheClientNamesNone) {
  EXPECT_EQ(parsed("GET / HTTP/1.0\r\n\r\n").host(), "");
  EXPECT_EQ(parsed("GET / HTTP/1.1\r\nHost:\r\n\r\n").host(), "");
}

TEST(RequestTest, LeavesEscapesInThePathAlone) {
  EXPECT_EQ(parsed("GET /a%2Fb/%41?c%26=%20 HTTP/1.0\r\n\r\n").path(), "/a%2Fb/%41");
  EXPECT_EQ(parsed("GET /a??b?c HTTP/1.0\r\n\r\n").query(), "?b?c");
}

TEST(RequestTest, FindsTokensInRepeatedLists) {
  const Request request =
      with_fields("Connection: keep-alive , UPGRADE\r\nX: y\r\nconnection:foo\r\n");
  EXPECT_TRUE(request.header_has_token("Connection", "upgrade"));
  EXPECT_TRUE(request.header_has_token("Connection", "Foo"));
  EXPECT_FALSE(request.header_has_token("Connection", "keep"));
  EXPECT_FALSE(request.header_has_token("Missing", ""));
  EXPECT_EQ(request.header_list("Connection"), "keep-alive , UPGRADE, foo");
}

TEST(RequestTest, KeepsTheConnectionAsTheVersionSays) {
  EXPECT_TRUE(with_fields("").keep_alive());
  EXPECT_FALSE(with_fields("Connection: Close\r\n").keep_alive());
  EXPECT_FALSE(with_fields("Connection: keep-alive, close\r\n").keep_alive());
  EXPECT_FALSE(parsed("GET / HTTP/1.0\r\n\r\n").keep_alive());
  EXPECT_TRUE(parsed("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keep_alive());
}

TEST(RequestTest, TrimsValuesAndLetsThemBeEmpty) {
  const Request request = with_fields("A:\t x y\t \r\nB:\r\nC: \r\nD: gr\xc3\xbc\xc3\x9f\r\n");
  EXPECT_THAT(request.header("A"), Optional(Eq("x y")));
  EXPECT_THAT(request.header("B"), Optional(Eq("")));
  EXPECT_THAT(request.header("C"), Optional(Eq("")));
  EXPECT_THAT(request.header("D"), Optional(Eq("gr\xc3\xbc\xc3\x9f")));
}

TEST(RequestParserTest, ReadsPipelinedRequestsOneAfterTheOther) {
  const std::string input = std::string(kPublish) + "\r\n" + std::string(kChunked) +
                            "GET /last HTTP/1.1\r\nHost: a\r\n\r\nGET /no";
  const FedRequests requests = fed(input);
  ASSERT_EQ(requests.requests().size(), 3U);
  EXPECT_EQ(requests.requests()[2].path(), "/last");
  EXPECT_EQ(requests.kept(), "GET /no");
  EXPECT_TRUE(requests.parser().has_begun());
}

TEST(RequestParserTest, ToleratesTwoBlankLinesBeforeARequestAndNoMore) {
  EXPECT_EQ(parsed("\r\n\r\nGET / HTTP/1.0\r\n\r\n").path(), "/");
  EXPECT_EQ(fed("\r\n\r\n\r\nGET / HTTP/1.0\r\n\r\n").status(), 400);
}

TEST(RequestParserTest, TellsHowFarARequestHasCome) {
  FedRequests requests;
  requests.feed("\r\n");
  EXPECT_FALSE(requests.parser().has_begun());
  requests.feed("P");
  EXPECT_TRUE(requests.parser().has_begun());
  requests.feed("OST / HTTP/1.0\r\nContent-Length: 1\r\n\r");
  EXPECT_FALSE(requests.parser().head_is_complete());
  requests.feed("\n");
  EXPECT_TRUE(requests.parser().head_is_complete());
  requests.feed("x");
  EXPECT_EQ(requests.requests().size(), 1U);
  EXPECT_FALSE(requests.parser().has_begun());
  EXPECT_FALSE(requests.parser().head_is_complete());
}

TEST(RequestParserTest, AsksOnceForABodyThatWaitsToBeAskedFor) {
  constexpr std::string_view kHead =
      "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 4\r\n\r\n";
  FedRequests requests;
  requests.feed(kHead);
  EXPECT_EQ(requests.continues(), 1);
  requests.feed("ab");
  requests.feed("cd");
  EXPECT_EQ(requests.continues(), 1);
  ASSERT_EQ(requests.requests().size(), 1U);
  EXPECT_TRUE(requests.requests()[0].expects_continue());

  EXPECT_EQ(fed(std::string(kHead) + "abcd").continues(), 0);
  EXPECT_EQ(fed(std::string(kHead) + "abc").continues(), 1);
}

TEST(RequestParserTest, DoesNotAskForABodyThatIsNotThereOrAnHttp10ClientsOne) {
  EXPECT_EQ(fed("GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n").continues(), 0);
  EXPECT_EQ(fed("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n").continues(),
            0);
}

TEST(RequestParserTest, RefusesALargeBodyBeforeItComes) {
  EXPECT_EQ(fed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000001\r\n\r\n").status(), 413);
  EXPECT_EQ(fed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n").status(), 0);
  EXPECT_EQ(
      fed("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1E8481\r\n").status(),
      413);
}

TEST(RequestParserTest, CountsTheChunksOfABodyTogether) {
  const RequestLimits limits{.body_bytes_max = 8};
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(fed(head + "4\r\nabcd\r\n4\r\nabcd\r\n0\r\n\r\n", limits).status(), 0);
  EXPECT_EQ(fed(head + "4\r\nabcd\r\n5\r\n", limits).status(), 413);
}

TEST(RequestParserTest, RefusesAHeadThatOutgrowsItsLimits) {
  const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n";
  EXPECT_EQ(fed(get + "X: " + std::string(17'000, 'x')).status(), 431);
  EXPECT_EQ(fed("GET /" + std::string(8192, 'x')).status(), 0);
  EXPECT_EQ(fed("GET /" + std::string(8192, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n").status(), 414);
  EXPECT_EQ(fed("GET /" + std::string(8191, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n").status(), 0);
  EXPECT_EQ(fed("GET /" + std::string(9000, 'x')).status(), 414);

  std::string fields;
  for (int i = 0; i < 99; ++i) fields += "X: y\r\n";
  EXPECT_EQ(fed(get + fields + "\r\n").status(), 0);
  EXPECT_EQ(fed(get + fields + "X: y\r\n").status(), 431);
}

TEST(RequestParserTest, RecognisesTlsByItsFirstByte) {
  EXPECT_EQ(fed("\x16").status(), 400);
}

struct Hostile {
  std::string_view what;
  std::string_view input;
  int status;
  friend void PrintTo(const Hostile& hostile, std::ostream* out) { *out << hostile.what; }
};

#define HEAD "POST / HTTP/1.1\r\nHost: a\r\n"
#define CHUNKS HEAD "Transfer-Encoding: chunked\r\n\r\n"
using namespace std::string_view_literals;

constexpr Hostile kHostile[] = {
    // The request line.
    {"two spaces before the version", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"two spaces before the target", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"a tab for a space", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"a space behind the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400},
    {"a space before the method", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"no version", "GET /\r\nHost: a\r\n\r\n", 400},
    {"no target", "GET HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"a method that is no token", "GE(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"a NUL in the target", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"sv, 400},
    {"a control character in the target", "GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"a bare CR in the request line", "GET /\r HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"a relative target", "GET x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"a fragment", "GET /x#y HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"another scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"an absolute target without authority", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"a user in the authority", "GET http://b@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"a fragment behind the authority", "GET http://a#b/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET for the server", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"OPTIONS for the server", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 501},
    {"CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 501},
    {"lower case version", "GET / http/1.1\r\nHost: a\r\n\r\n", 400},
    {"version 1.10", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400},
    {"version 1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505},
    {"version 0.9", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505},
    {"version 2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
    {"a bare LF behind the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400},

    // Fields.
    {"a bare LF behind a field", HEAD "X: y\n\r\n", 400},
    {"a bare LF as the last line", HEAD "\n", 400},
    {"a bare CR in a value", HEAD "X: y\rz\r\n\r\n", 400},
    {"two CRs behind a value", HEAD "X: y\r\r\n\r\n", 400},
    {"a NUL in a value", HEAD "X: y\0z\r\n\r\n"sv, 400},
    {"a control character in a value", HEAD "X: y\x01z\r\n\r\n", 400},
    {"a space before the colon", HEAD "X : y\r\n\r\n", 400},
    {"a tab before the colon", HEAD "X\t: y\r\n\r\n", 400},
    {"a field without a colon", HEAD "X\r\n\r\n", 400},
    {"a field without a name", HEAD ": y\r\n\r\n", 400},
    {"a folded field", HEAD "X: y\r\n z\r\n\r\n", 400},
    {"a field folded by a tab", HEAD "X: y\r\n\tz\r\n\r\n", 400},
    {"a folded first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400},
    {"a name that is not ASCII", HEAD "X\xc3\xa4: y\r\n\r\n", 400},

    // Host.
    {"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
    {"an absolute target and no Host", "GET http://a/ HTTP/1.1\r\n\r\n", 400},
    {"two Hosts", HEAD "Host: a\r\n\r\n", 400},
    {"two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n", 400},
    {"a path in Host", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
    {"a user in Host", "GET / HTTP/1.1\r\nHost: b@a\r\n\r\n", 400},
    {"a space in Host", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
    {"a list as Host", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400},
    {"a port that is no number", "GET / HTTP/1.1\r\nHost: a:x\r\n\r\n", 400},
    {"a port and no Host", "GET / HTTP/1.1\r\nHost: :80\r\n\r\n", 400},
    {"an IPv6 host without an end", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400},
    {"an IPv6 host with more behind it", "GET / HTTP/1.1\r\nHost: [::1]a\r\n\r\n", 400},
    {"a bad Host besides an absolute target", "GET http://a/ HTTP/1.1\r\nHost: b@a\r\n\r\n", 400},

    // Framing.
    {"two lengths that differ", HEAD "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
    {"two lengths that agree", HEAD "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 400},
    {"a list of lengths", HEAD "Content-Length: 1, 1\r\n\r\n", 400},
    {"a negative length", HEAD "Content-Length: -1\r\n\r\n", 400},
    {"a length with a sign", HEAD "Content-Length: +1\r\n\r\n", 400},
    {"a hexadecimal length", HEAD "Content-Length: 0x1\r\n\r\n", 400},
    {"an empty length", HEAD "Content-Length:\r\n\r\n", 400},
    {"a length with a blank in it", HEAD "Content-Length: 1 1\r\n\r\n", 400},
    {"a length beyond 64 bits", HEAD "Content-Length: 18446744073709551617\r\n\r\n", 400},
    {"a length that is larger than all bodies", HEAD "Content-Length: 9999999999999\r\n\r\n", 413},
    {"length and coding", HEAD "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"coding and length", HEAD "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 400},
    {"length and unknown coding", HEAD "Content-Length: 1\r\nTransfer-Encoding: x\r\n\r\n", 400},
    {"a coding in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"an unknown coding", HEAD "Transfer-Encoding: gzip\r\n\r\n", 501},
    {"identity", HEAD "Transfer-Encoding: identity\r\n\r\n", 501},
    {"an unknown coding before chunked", HEAD "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
    {"an unknown coding behind chunked", HEAD "Transfer-Encoding: chunked, gzip\r\n\r\n", 501},
    {"something like chunked", HEAD "Transfer-Encoding: xchunked\r\n\r\n", 501},
    {"chunked with a parameter", HEAD "Transfer-Encoding: chunked;q=1\r\n\r\n", 501},
    {"chunked in quotes", HEAD "Transfer-Encoding: \"chunked\"\r\n\r\n", 501},
    {"chunked behind a vertical tab", HEAD "Transfer-Encoding: \vchunked\r\n\r\n", 400},
    {"chunked twice", HEAD "Transfer-Encoding: chunked, chunked\r\n\r\n", 400},
    {"chunked in two fields",
     HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"chunked and an empty field", HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding:\r\n\r\n",
     400},
    {"chunked and a comma", HEAD "Transfer-Encoding: chunked,\r\n\r\n", 400},
    {"an empty coding", HEAD "Transfer-Encoding:\r\n\r\n", 400},
    {"an unknown expectation", HEAD "Expect: 200-ok\r\n\r\n", 417},
    {"an unknown expectation in a list", HEAD "Expect: 100-continue, x\r\n\r\n", 417},

    // Chunks.
    {"a chunk without a size", CHUNKS "\r\n", 400},
    {"a chunk with a sign", CHUNKS "+1\r\nx\r\n0\r\n\r\n", 400},
    {"a chunk with 0x", CHUNKS "0x1\r\nx\r\n0\r\n\r\n", 400},
    {"a blank before a size", CHUNKS " 1\r\nx\r\n0\r\n\r\n", 400},
    {"a blank behind a size", CHUNKS "1 \r\nx\r\n0\r\n\r\n", 400},
    {"a bare LF behind a size", CHUNKS "1\nx\r\n0\r\n\r\n", 400},
    {"a bare CR behind a size", CHUNKS "1\rx\r\n0\r\n\r\n", 400},
    {"a bare LF in an extension", CHUNKS "1;a\nx\r\n0\r\n\r\n", 400},
    {"a bare LF in a quoted extension", CHUNKS "1;a=\"\n\"\r\nx\r\n0\r\n\r\n", 400},
    {"data longer than its chunk", CHUNKS "1\r\nxy\r\n0\r\n\r\n", 400},
    {"a bare LF behind data", CHUNKS "1\r\nx\n0\r\n\r\n", 400},
    {"a size beyond 64 bits", CHUNKS "10000000000000001\r\n", 413},
    {"a size of seventeen zeros", CHUNKS "00000000000000000\r\n\r\n", 400},
    {"a folded trailer", CHUNKS "0\r\n X: y\r\n\r\n", 400},
    {"a bare LF in a trailer", CHUNKS "0\r\nX: y\n\r\n", 400},
};

class HostileRequestTest : public testing::TestWithParam<Hostile> {};

TEST_P(HostileRequestTest, IsRefusedHoweverItIsCut) {
  const Hostile& hostile = GetParam();
  const FedRequests whole = fed(hostile.input);
  EXPECT_EQ(whole.status(), hostile.status) << whole.summary();
  EXPECT_TRUE(whole.requests().empty());
  for (std::size_t cut = 1; cut < hostile.input.size(); ++cut) {
    FedRequests parts;
    parts.feed(hostile.input.substr(0, cut));
    parts.feed(hostile.input.substr(cut));
    ASSERT_EQ(parts.summary(), whole.summary()) << "cut at " << cut;
  }
}

INSTANTIATE_TEST_SUITE_P(Table, HostileRequestTest, testing::ValuesIn(kHostile));

TEST(RequestParserTest, ReadsTheSameHoweverTheInputIsCut) {
  const std::string input =
      std::string(kPublish) + std::string(kChunked) + "\r\n" + "GET http://b/x?y HTTP/1.0\r\n\r\n";
  const FedRequests whole = fed(input);
  ASSERT_EQ(whole.requests().size(), 3U);

  FedRequests bytes;
  for (const char byte : input) bytes.feed({&byte, 1});
  EXPECT_EQ(bytes.summary(), whole.summary());

  for (std::size_t cut = 0; cut <= input.size(); ++cut) {
    FedRequests parts;
    parts.feed(std::string_view(input).substr(0, cut));
    parts.feed(std::string_view(input).substr(cut));
    ASSERT_EQ(parts.summary(), whole.summary()) << "cut at " << cut;
  }
}

TEST(RequestParserTest, BoundsWhatChunksCarryBesidesData) {
  FedRequests requests = fed(CHUNKS);
  for (int i = 0; i < 2000 && requests.status() == 0; ++i) requests.feed("1;abcdefghi\r\nx\r\n");
  EXPECT_EQ(requests.status(), 431);
  EXPECT_EQ(fed(CHUNKS "0\r\nX: " + std::string(5000, 'x')).status(), 431);
}

TEST(RequestParserTest, RefusesPathsThatAnotherServerWouldResolve) {
  for (const char* path : {"/realm/a/publish/../../../bayeux", "/..", "/a/.", "/a/%2e%2E/b",
                           "/a/.%2e", "http://a/b/../c"}) {
    EXPECT_EQ(fed("GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n").status(), 400)
        << path;
  }
  for (const char* path : {"/a/...", "/a/..b", "/a?x=/../", "/.hidden", "/a/%2f../b%2"}) {
    EXPECT_EQ(fed("GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n").status(), 0) << path;
  }
}

}  // namespace
}  // namespace fanfare::wire::http1
