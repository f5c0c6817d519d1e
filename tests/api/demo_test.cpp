#include "api/demo.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/http1/request.hpp"

namespace fanfare::api {
namespace {

using testing::HasSubstr;
using wire::http1::Request;
using wire::http1::Response;

Request request_of(const std::string& text) {
  wire::http1::RequestParser parser{wire::http1::RequestLimits{}};
  EXPECT_EQ(parser.feed(text).state, wire::http1::Progress::complete);
  return parser.take_request();
}

/// One worker that talks to itself, so every task has been run when the call returns.
class DemoTest : public testing::Test, protected core::Courier {
 protected:
  DemoTest() { exchange_.meet({&exchange_}); }

  static constexpr const char* kJson = "Content-Type: application/json\r\n";

  /// `headers` are whole lines.
  Response ask(const std::string& method, std::string_view body = "",
               const std::string& headers = kJson) {
    const Request request = request_of(
        method + " /demo/comments HTTP/1.1\r\nHost: localhost:8400\r\n" + headers +
        "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body));
    Response answer;
    demo_.handle(request, realm_, "comments", "/bayeux",
                 [&answer](Response response) { answer = std::move(response); });
    return answer;
  }

  void post(core::WorkerIndex /*to*/, base::Task task) noexcept override { task(); }
  void at_turn_end(base::Task task) noexcept override { task(); }

  base::ManualClock clock_;
  base::TimerWheel timers_{clock_.now()};
  core::RealmPtr realm_ = std::make_shared<const core::Realm>(core::make_realm());
  core::Exchange exchange_{core::WorkerIndex(0), clock_, timers_, *this};
  DemoComments comments_;
  Demo demo_{comments_, exchange_, clock_};
};

TEST_F(DemoTest, KeepsAComment) {
  EXPECT_EQ(ask("POST", R"({"name":" Ada ","text":"hello"})").status, 200);
  EXPECT_THAT(ask("GET").body, HasSubstr(R"("name":"Ada","text":"hello")"));
}

TEST_F(DemoTest, CallsAnAuthorWithoutANameAnonymous) {
  EXPECT_EQ(ask("POST", R"({"text":"hello"})").status, 200);
  EXPECT_THAT(ask("GET").body, HasSubstr(R"("name":"Anonymous")"));
}

TEST_F(DemoTest, RefusesANameOrATextThatIsNoString) {
  const std::vector<std::pair<std::string_view, std::string_view>> bad{
      {R"({"name":[],"text":"hello"})", "'name' is an array, not a string"},
      {R"({"name":7,"text":"hello"})", "'name' is a number, not a string"},
      {R"({"name":"Ada","text":{}})", "'text' is an object, not a string"},
      {R"({"name":"Ada"})", "'text' is empty"},
      {R"({"name":"Ada","text":" \n"})", "'text' is empty"},
  };
  for (const auto& [body, message] : bad) {
    const Response answer = ask("POST", body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_THAT(answer.body, HasSubstr(message)) << body;
  }
  EXPECT_EQ(ask("GET").body, "{\"comments\":[]}\n");
}

// ---- its own page alone

TEST_F(DemoTest, TakesCommentsOfItsOwnPage) {
  for (const std::string headers :
       {"", "Origin: http://localhost:8400\r\n", "Origin: https://localhost:8400\r\n",
        "Sec-Fetch-Site: same-origin\r\nOrigin: http://localhost:8400\r\n"}) {
    EXPECT_EQ(ask("POST", R"({"text":"hello"})", kJson + headers).status, 200) << headers;
  }
  EXPECT_EQ(ask("POST", R"({"text":"hello"})", "content-type: Application/JSON ; charset=utf-8\r\n")
                .status,
            200);
}

TEST_F(DemoTest, TakesNoneOfOtherPages) {
  for (const std::string headers :
       {"Origin: https://evil.example\r\n", "Origin: null\r\n", "Origin: localhost:8400\r\n",
        "Origin: http://localhost\r\n", "Origin: http://localhost:8400.evil.example\r\n",
        "Sec-Fetch-Site: cross-site\r\n", "Sec-Fetch-Site: same-site\r\n",
        "Sec-Fetch-Site: none\r\n",
        "Origin: http://localhost:8400\r\nSec-Fetch-Site: cross-site\r\n"}) {
    const Response answer = ask("POST", R"({"text":"hello"})", kJson + headers);
    EXPECT_EQ(answer.status, 403) << headers;
    EXPECT_THAT(answer.body, HasSubstr("its own page only")) << headers;
  }
  EXPECT_EQ(ask("GET").body, "{\"comments\":[]}\n");
}

// What a form or a script of another origin may send without a preflight.
TEST_F(DemoTest, TakesNothingThatABrowserSendsWithoutAPreflight) {
  for (const std::string headers :
       {"", "Content-Type: text/plain\r\n", "Content-Type: application/x-www-form-urlencoded\r\n",
        "Content-Type: multipart/form-data; boundary=application/json\r\n",
        "Content-Type: text/plain; application/json\r\n", "Content-Type:\r\n",
        "Content-Type: application/json\r\nContent-Type: text/plain\r\n"}) {
    const Response answer = ask("POST", R"({"text":"hello"})", headers);
    EXPECT_EQ(answer.status, 415) << headers;
    EXPECT_THAT(answer.body, HasSubstr("Content-Type: application/json")) << headers;
  }
  EXPECT_EQ(ask("OPTIONS", "", "Origin: https://evil.example\r\n").status, 405);
}

TEST_F(DemoTest, TakesOnlySoManyCommentsASecond) {
  for (int round = 0; round < 2; ++round) {
    for (std::size_t i = 0; i < DemoComments::kPerSecondMax; ++i)
      EXPECT_EQ(ask("POST", R"({"text":"hello"})").status, 200);
    clock_.advance(base::Duration(999));
    const Response answer = ask("POST", R"({"text":"hello"})");
    EXPECT_EQ(answer.status, 429);
    EXPECT_THAT(answer.body, HasSubstr("\"limit_reached\""));
    EXPECT_THAT(answer.body, HasSubstr("20 comments a second"));
    clock_.advance(base::Duration(1));
  }
}

}  // namespace
}  // namespace fanfare::api
