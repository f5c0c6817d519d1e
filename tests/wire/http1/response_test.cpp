#include "wire/http1/response.hpp"

#include <memory>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "wire/http1/fed_requests.hpp"

namespace fanfare::wire::http1 {
namespace {

ResponseContext answering(std::string_view head) {
  FedRequests requests;
  requests.feed(head);
  return ResponseContext(requests.requests().at(0));
}

const ResponseContext kGet = answering("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
const ResponseContext kHead = answering("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
const ResponseContext kGet10 = answering("GET / HTTP/1.0\r\n\r\n");
const ResponseContext kKeptGet10 = answering("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");

TEST(ResponseTest, WritesStatusFieldsLengthAndBody) {
  const Response response{.headers = {{"Content-Type", "text/plain"}}, .body = "hello"};
  EXPECT_EQ(encode(response, kGet),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_TRUE(keeps_connection(response, kGet));
}

TEST(ResponseTest, SendsASharedBodyInsteadOfItsOwn) {
  Response response;
  response.shared_body = std::make_shared<const std::string>("hello");
  EXPECT_EQ(encode(response, kGet), "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_EQ(encode(response, kHead), "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
}

TEST(ResponseTest, GivesAnEmptyBodyALength) {
  EXPECT_EQ(encode({.status = 404}, kGet), "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
}

TEST(ResponseTest, AnswersHeadWithTheLengthAndWithoutTheBody) {
  EXPECT_EQ(encode({.body = "hello"}, kHead), "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
}

TEST(ResponseTest, GivesNoLengthToWhatHasNoBody) {
  EXPECT_EQ(encode({.status = 204, .body = "x"}, kGet), "HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(encode({.status = 304}, kGet), "HTTP/1.1 304 Not Modified\r\n\r\n");
  EXPECT_EQ(encode({.status = 101, .headers = {{"Connection", "Upgrade"}}}, kKeptGet10),
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n");
}

TEST(ResponseTest, SaysWhetherTheConnectionStaysWhereTheVersionDoesNot) {
  constexpr std::string_view kStart = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n";
  EXPECT_EQ(encode({}, kGet), std::string(kStart) + "\r\n");
  EXPECT_EQ(encode({.close = true}, kGet), std::string(kStart) + "Connection: close\r\n\r\n");
  EXPECT_EQ(encode({}, kGet10), std::string(kStart) + "Connection: close\r\n\r\n");
  EXPECT_EQ(encode({}, kKeptGet10), std::string(kStart) + "Connection: keep-alive\r\n\r\n");
  EXPECT_EQ(encode({}, ResponseContext()), std::string(kStart) + "Connection: close\r\n\r\n");
}

TEST(ResponseTest, NeverLetsAValueBeginAnotherField) {
  const Response response{.headers = {{"Location", {"/a\r\nSet-Cookie: b\0\t.", 20}}}};
  EXPECT_EQ(encode(response, kGet),
            "HTTP/1.1 200 OK\r\nLocation: /a  Set-Cookie: b \t.\r\nContent-Length: 0\r\n\r\n");
}

TEST(ResponseTest, StreamsInChunksOrUntilTheEnd) {
  EXPECT_EQ(encode_stream_head({}, kGet), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(encode_stream_head({}, kKeptGet10), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(encode_chunk("0123456789abcdef."), "11\r\n0123456789abcdef.\r\n");
}

TEST(ResponseTest, HasAPhraseForEveryStatus) {
  EXPECT_EQ(reason_phrase(431), "Request Header Fields Too Large");
  EXPECT_EQ(reason_phrase(418), "Client Error");
  EXPECT_EQ(reason_phrase(599), "Server Error");
}

TEST(HttpDateTest, SaysTheTimeAsTheRfcDoes) {
  HttpDate date;
  const base::WallTime time(std::chrono::seconds(784'111'777));
  EXPECT_EQ(date.at(time), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(date.at(time + std::chrono::milliseconds(999)), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(date.at(time + std::chrono::seconds(1)), "Sun, 06 Nov 1994 08:49:38 GMT");
  EXPECT_EQ(encode({.status = 404}, kGet, date.at(time)),
            "HTTP/1.1 404 Not Found\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "Content-Length: 0\r\n\r\n");
}

}  // namespace
}  // namespace fanfare::wire::http1
