#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fault.hpp"
#include "transport/http/http_fixture.hpp"

// What throws ends its connection, and nothing of it reaches another.

namespace fanfare::transport::http {
namespace {

using testing::HasSubstr;
using wire::http1::Request;
using wire::http1::Response;

class HttpFaultTest : public HttpFixture {
 protected:
  HttpFaultTest() {
    handles_ = [this](const ConnectionPtr& connection, const Request& request) {
      Answer answer(connection);
      if (request.path() == "/throw") throw std::runtime_error("expected in this test");
      if (request.path() == "/lose") return;  // as if a task with it had thrown
      if (request.path() == "/lose-later") {
        kept_answers_.push_back(std::move(answer));
        return;
      }
      Response response;
      response.body.assign(request.path());
      answer(response);
    };
  }
  ~HttpFaultTest() override {
    on_loop([this] { kept_answers_.clear(); });
  }

  static std::string get(std::string_view path) {
    return "GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  }

  std::vector<Answer> kept_answers_;
};

TEST_F(HttpFaultTest, AHandlerThatThrowsEndsItsConnectionWithoutAHang) {
  ClientSocket client = open();
  client.send(get("/throw"));
  client.receive_all();
  EXPECT_TRUE(wait_until_closed());
}

// Answers to what one read brought are batched in a place that all connections share.
TEST_F(HttpFaultTest, AnswersOfAConnectionThatThrewDoNotGoToTheNext) {
  ClientSocket first = open();
  first.send(get("/first") + get("/throw"));
  first.receive_all();
  ClientSocket second = open();
  second.send(get("/second"));
  EXPECT_EQ(second.receive_answer().body, "/second");
}

TEST_F(HttpFaultTest, AnAnswerThatIsLostIsA500) {
  ClientSocket client = open();
  client.send(get("/lose"));
  EXPECT_EQ(client.receive_answer().status(), 500);
  EXPECT_EQ(client.receive_all(), "");
}

TEST_F(HttpFaultTest, SoIsOneThatIsLostLater) {
  ClientSocket client = open();
  client.send(get("/lose-later"));
  EXPECT_TRUE(bayeux_.wait_until([this] { return !kept_answers_.empty(); }));
  on_loop([this] { kept_answers_.clear(); });
  EXPECT_THAT(client.receive_all(), HasSubstr("HTTP/1.1 500 "));
}

TEST_F(HttpFaultTest, AnAnswerThatIsLostWhenThePeerHasGoneHarmsNobody) {
  ClientSocket client = open();
  client.send(get("/lose-later"));
  EXPECT_TRUE(bayeux_.wait_until([this] { return !kept_answers_.empty(); }));
  client.reset();
  EXPECT_TRUE(wait_until_closed());
  on_loop([this] { kept_answers_.clear(); });
}

#ifdef FANFARE_FAULTS
/// Whether it is the turn that throws, or what is done in it: the connection ends.
TEST_F(HttpFaultTest, AConnectionThatThrowsInItsTurnEnds) {
  for (const char* place : {"somebody who had to wait", "a connection that had to wait"}) {
    ClientSocket client = open();
    client.send(get("/lose-later") + get("/first"));  // the second waits for its turn
    EXPECT_TRUE(bayeux_.wait_until([this] { return !kept_answers_.empty(); }));
    base::faults::throw_at_place(place);
    on_loop([this] {
      Answer answer = std::move(kept_answers_.back());
      kept_answers_.clear();
      answer(Response{});
    });
    EXPECT_THAT(client.receive_all(), HasSubstr("HTTP/1.1 200 "));
    EXPECT_TRUE(wait_until_closed());
    EXPECT_STREQ(base::faults::thrown_at(), place);
    base::faults::throw_at(0);
  }
}
#endif

}  // namespace
}  // namespace fanfare::transport::http
