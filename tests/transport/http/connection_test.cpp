#include "transport/http/connection.hpp"

#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "transport/http/http_fixture.hpp"

namespace fanfare::transport::http {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using wire::http1::Request;
using wire::http1::Response;

/// Notes what it is told.
class Witness final : public Waiter {
 public:
  explicit Witness(std::vector<std::string>& told) : told_(told) {}

 private:
  void peer_left() noexcept override { told_.emplace_back("peer left"); }
  void answer_arrived(bool has_arrived) noexcept override {
    told_.emplace_back(has_arrived ? "arrived" : "lost");
  }
  void stream_written() noexcept override { told_.emplace_back("written"); }
  void add_reference() noexcept override { ++references_; }
  void release_reference() noexcept override {
    if (--references_ == 0) delete this;
  }
  std::vector<std::string>& told_;
  int references_ = 0;
};

class ConnectionTest : public HttpFixture {
 protected:
  ConnectionTest() {
    // Answers with the path; "/later" when the test says so, "/large" at length.
    handles_ = [this](const ConnectionPtr& connection, const Request& request) {
      paths_.emplace_back(request.path());
      if (request.path().starts_with("/watched")) connection->watch(new Witness(told_));
      if (request.path().find("later") != std::string_view::npos) {
        kept_.push_back(connection);
      } else if (request.path() == "/large") {
        connection->respond(text(std::string(kLarge, 'x')));
      } else {
        connection->respond(text(std::string(request.path())));
      }
    };
  }
  static Response text(std::string body) {
    Response response;
    response.body = std::move(body);
    return response;
  }
  static std::string get(std::string_view path, std::string_view more = "") {
    return "GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" + std::string(more) + "\r\n";
  }
  /// Answers the first that waits.
  void answer(const std::string& body) {
    on_loop([&] {
      const ConnectionPtr connection = kept_.front();
      kept_.erase(kept_.begin());
      connection->respond(text(body));
    });
  }
  bool wait_for_kept(std::size_t count = 1) {
    return bayeux_.wait_until([&] { return kept_.size() == count; });
  }
  bool wait_for_told() {
    return bayeux_.wait_until([&] { return !told_.empty(); });
  }
  std::vector<std::string> told() {
    return on_loop([&] { return told_; });
  }

  static constexpr std::size_t kLarge = 8'000'000;
  std::vector<std::string> paths_;
  std::vector<std::string> told_;
};

// ---- Requests and answers

TEST_F(ConnectionTest, AnswersOneRequestAfterTheOther) {
  ClientSocket client = open();
  for (const auto* path : {"/1", "/2", "/3"}) {
    client.send(get(path));
    EXPECT_EQ(client.receive_answer().body, path);
  }
}

TEST_F(ConnectionTest, ReadsARequestThatComesByteByByte) {
  ClientSocket client = open();
  for (const char byte : post_request("/slow", "body")) client.send({&byte, 1});
  EXPECT_EQ(client.receive_answer().body, "/slow");
}

TEST_F(ConnectionTest, ReadsARequestCutAnywhere) {
  const std::string request = post_request("/cut", "body");
  for (std::size_t cut = 1; cut < request.size(); cut += 7) {
    ClientSocket client = open();
    client.send(std::string_view(request).substr(0, cut));
    on_loop([] {});
    client.send(std::string_view(request).substr(cut));
    EXPECT_EQ(client.receive_answer().body, "/cut") << cut;
  }
}

TEST_F(ConnectionTest, AnswersWhatWasSentAheadInOrder) {
  ClientSocket client = open();
  std::string requests;
  for (int i = 0; i < 300; ++i) requests += get("/" + std::to_string(i));
  client.send(requests);
  for (int i = 0; i < 300; ++i) EXPECT_EQ(client.receive_answer().body, "/" + std::to_string(i));
}

TEST_F(ConnectionTest, ARequestWaitsForTheAnswerBeforeIt) {
  ClientSocket client = open();
  client.send(get("/later") + get("/next"));
  ASSERT_TRUE(wait_for_kept());
  EXPECT_THAT(on_loop([&] { return paths_; }), ElementsAre("/later"));
  answer("first");
  EXPECT_EQ(client.receive_answer().body, "first");
  EXPECT_EQ(client.receive_answer().body, "/next");
}

/// Whoever answers may be in the middle of something that the next request would change.
TEST_F(ConnectionTest, DoesNotHandleTheNextRequestInsideAnAnswer) {
  ClientSocket client = open();
  client.send(get("/later") + get("/next"));
  ASSERT_TRUE(wait_for_kept());
  const std::size_t handled = on_loop([&] {
    kept_.front()->respond(text("first"));
    return paths_.size();
  });
  EXPECT_EQ(handled, 1U);
  client.receive_answer();
  EXPECT_EQ(client.receive_answer().body, "/next");
}

TEST_F(ConnectionTest, AClientThatSendsTooFarAheadHasToWaitAndLosesNothing) {
  ClientSocket client = open();
  client.send(get("/later"));
  ASSERT_TRUE(wait_for_kept());
  const std::string big = post_request("/big", std::string(200'000, 'b'));
  std::thread sending([&] { client.send(big + get("/last")); });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  answer("first");
  sending.join();
  EXPECT_EQ(client.receive_answer().body, "first");
  EXPECT_EQ(client.receive_answer().body, "/big");
  EXPECT_EQ(client.receive_answer().body, "/last");
}

/// Frames of one connection are collected where all connections of the worker can reach them.
TEST_F(ConnectionTest, AnswersThatAreBatchedGoToTheirOwnConnection) {
  ClientSocket held = open();
  held.send(get("/later", "Connection: close\r\n"));
  ASSERT_TRUE(wait_for_kept());
  on_loop([this] {
    handles_ = [this](const ConnectionPtr& connection, const Request& request) {
      if (request.path() == "/answers-the-other") kept_.front()->respond(text("for the held"));
      connection->respond(text(std::string(request.path())));
    };
  });
  ClientSocket client = open();
  client.send(get("/1") + get("/answers-the-other") + get("/3"));
  EXPECT_EQ(client.receive_answer().body, "/1");
  EXPECT_EQ(client.receive_answer().body, "/answers-the-other");
  EXPECT_EQ(client.receive_answer().body, "/3");
  EXPECT_EQ(held.receive_answer().body, "for the held");
  EXPECT_EQ(held.receive_all(), "");
}

TEST_F(ConnectionTest, BringsALargeAnswerToASlowReaderWhole) {
  ClientSocket client = open();
  client.send(get("/large") + get("/after"));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const auto answer = client.receive_answer();
  EXPECT_EQ(answer.body.size(), kLarge);
  EXPECT_EQ(client.receive_answer().body, "/after");
}

TEST_F(ConnectionTest, TellsAClientToGoOnWithItsBody) {
  ClientSocket client = open();
  client.send(
      "POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_THAT(client.receive_through("\r\n\r\n"), StartsWith("HTTP/1.1 100 "));
  client.send("body");
  EXPECT_EQ(client.receive_answer().body, "/body");
}

// ---- The end of a connection

TEST_F(ConnectionTest, ClosesWhenTheClientWantsThat) {
  for (const auto& request :
       {get("/1", "Connection: close\r\n"), std::string("GET /1 HTTP/1.0\r\nHost: x\r\n\r\n")}) {
    ClientSocket client = open();
    client.send(request);
    EXPECT_EQ(client.receive_answer().body, "/1");
    EXPECT_EQ(client.receive_all(), "");
    client.close();
    EXPECT_TRUE(wait_until_closed());
  }
}

TEST_F(ConnectionTest, RefusesWhatIsNoRequestAndCloses) {
  ClientSocket client = open();
  client.send("GET / HTTP/1.1\r\nHost x\r\n\r\n" + get("/2"));
  const auto answer = client.receive_answer();
  EXPECT_EQ(answer.status(), 400);
  EXPECT_THAT(answer.head, HasSubstr("Connection: close"));
  EXPECT_EQ(client.receive_all(), "");
}

TEST_F(ConnectionTest, ARefusalReachesAClientThatIsStillSending) {
  limits_.request.body_bytes_max = 1000;
  ClientSocket client = open();
  std::thread sending([&] { client.send(post_request("/", std::string(500'000, 'x'))); });
  EXPECT_EQ(client.receive_answer().status(), 413);
  sending.join();
}

TEST_F(ConnectionTest, AScriptMayStopSendingAndReadItsAnswers) {
  ClientSocket client = open();
  client.send(get("/1") + get("/later") + get("/3"));
  client.stop_sending();
  ASSERT_TRUE(wait_for_kept());
  answer("second");
  EXPECT_EQ(client.receive_answer().body, "/1");
  EXPECT_EQ(client.receive_answer().body, "second");
  EXPECT_EQ(client.receive_answer().body, "/3");
  EXPECT_EQ(client.receive_all(), "");
  EXPECT_TRUE(wait_until_closed());
}

TEST_F(ConnectionTest, NoticesThatAnIdlePeerWent) {
  ClientSocket client = open();
  client.send(get("/1"));
  client.receive_answer();
  client.close();
  EXPECT_TRUE(wait_until_closed());
}

// ---- Time

TEST_F(ConnectionTest, AHeadHasToArriveInTime) {
  ClientSocket client = open();
  client.send("GET / HTTP/1.1\r\nHo");
  on_loop([] {});
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  bayeux_.thread.advance(limits_.header_timeout + base::Duration(100));
  EXPECT_EQ(client.receive_answer().status(), 408);
}

TEST_F(ConnectionTest, ABodyHasToArriveInTime) {
  ClientSocket client = open();
  client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf");
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  bayeux_.thread.advance(limits_.body_timeout + base::Duration(100));
  EXPECT_EQ(client.receive_answer().status(), 408);
}

TEST_F(ConnectionTest, BodiesThatComeInPartMayTakeOnlySoMuchMemoryTogether) {
  const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1900000\r\n\r\n";
  const std::string part(1'800'000, 'x');
  std::vector<ClientSocket> clients;
  for (int i = 0; i < 2; ++i) {
    clients.push_back(open());
    clients.back().send(head + part);
  }
  ASSERT_TRUE(bayeux_.wait_until([&] { return incoming_.used() == 2 * part.size(); }));
  clients.push_back(open());
  clients.back().send(head + part);
  // Who has held as much, and longest, gives way; the newcomer does not.
  EXPECT_EQ(clients.front().receive_answer().status(), 503);
  for (std::size_t i = 1; i < clients.size(); ++i) {
    clients[i].send(std::string(100'000, 'x'));
    EXPECT_EQ(clients[i].receive_answer().status(), 200) << i;
  }
}

TEST_F(ConnectionTest, AnIdleConnectionIsClosedWithoutAWord) {
  ClientSocket client = open();
  client.send(get("/1"));
  client.receive_answer();
  bayeux_.thread.advance(limits_.keep_alive_timeout + base::Duration(100));
  EXPECT_EQ(client.receive_all(), "");
}

TEST_F(ConnectionTest, AnAnswerMayTakeAsLongAsItTakes) {
  ClientSocket client = open();
  client.send(get("/later"));
  ASSERT_TRUE(wait_for_kept());
  bayeux_.thread.advance(10 * limits_.keep_alive_timeout);
  std::this_thread::sleep_for(std::chrono::milliseconds(120));
  answer("at last");
  EXPECT_EQ(client.receive_answer().body, "at last");
}

TEST_F(ConnectionTest, APeerThatNeverReadsIsGivenUp) {
  ClientSocket client = open();
  client.send(get("/large"));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  bayeux_.thread.advance(limits_.write_timeout + base::Duration(100));
  EXPECT_TRUE(wait_until_closed());
}

// ---- What becomes of an answer

TEST_F(ConnectionTest, TellsThatThePeerOfAHeldRequestLeft) {
  for (const bool in_good_order : {true, false}) {
    ClientSocket client = open();
    client.send(get("/watched-later"));
    ASSERT_TRUE(wait_for_kept());
    if (in_good_order) {
      client.close();
    } else {
      client.reset();
    }
    ASSERT_TRUE(wait_for_told());
    EXPECT_THAT(told(), ElementsAre("peer left"));
    on_loop([&] {
      kept_.clear();
      told_.clear();
    });
  }
}

TEST_F(ConnectionTest, TheNextRequestProvesThatTheAnswerArrived) {
  ClientSocket client = open();
  client.send(get("/watched"));
  client.receive_answer();
  EXPECT_THAT(told(), ElementsAre());
  client.send(get("/2"));
  client.receive_answer();
  EXPECT_THAT(told(), ElementsAre("arrived"));
}

TEST_F(ConnectionTest, SoDoesAPeerThatClosesInGoodOrder) {
  ClientSocket client = open();
  client.send(get("/watched"));
  client.receive_answer();
  client.close();
  ASSERT_TRUE(wait_for_told());
  EXPECT_THAT(told(), ElementsAre("arrived"));
}

TEST_F(ConnectionTest, AResetMeansThatTheAnswerIsLost) {
  ClientSocket client = open();
  client.send(get("/watched"));
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  client.reset();  // with the answer unread
  ASSERT_TRUE(wait_for_told());
  EXPECT_THAT(told(), ElementsAre("lost"));
}

TEST_F(ConnectionTest, APeerThatClosesWithTheAnswerUnreadHasLostIt) {
  ClientSocket client = open();
  client.send(get("/watched"));
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  client.close();  // which the kernel makes a reset, because bytes are left
  ASSERT_TRUE(wait_for_told());
  EXPECT_THAT(told(), ElementsAre("lost"));
}

// The end that the peer sent in good order stands in front of the reset that answers our answer.
TEST_F(ConnectionTest, APeerThatClosedJustBeforeItsAnswerHasLostIt) {
  ClientSocket client = open();
  client.send(get("/watched-later"));
  ASSERT_TRUE(wait_for_kept());
  on_loop([&] {
    // In one task, so that the loop cannot see the peer's end before it answers.
    client.close();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    kept_.front()->respond(text("too late"));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  });
  ASSERT_TRUE(wait_for_told());
  EXPECT_THAT(told(), ElementsAre("lost"));
}

TEST_F(ConnectionTest, AnAnswerToAPeerThatHasGoneIsLost) {
  ClientSocket client = open();
  client.send(get("/later"));
  ASSERT_TRUE(wait_for_kept());
  client.reset();
  ASSERT_TRUE(wait_until_closed());
  on_loop([&] {
    kept_.front()->watch(new Witness(told_));
    kept_.front()->respond(text("too late"));
  });
  EXPECT_THAT(told(), ElementsAre("lost"));
}

TEST_F(ConnectionTest, AHalfWrittenAnswerIsLost) {
  on_loop([this] {
    handles_ = [this](const ConnectionPtr& connection, const Request&) {
      connection->watch(new Witness(told_));
      connection->respond(text(std::string(kLarge, 'x')));
    };
  });
  ClientSocket client = open();
  client.send(get("/"));
  client.receive_exactly(1000);
  client.close();
  ASSERT_TRUE(wait_for_told());
  EXPECT_THAT(told(), ElementsAre("lost"));
}

// ---- Streams

TEST_F(ConnectionTest, StreamsInChunksAndEnds) {
  ClientSocket client = open();
  client.send(get("/later"));
  ASSERT_TRUE(wait_for_kept());
  on_loop([&] {
    kept_.front()->start_stream({});
    kept_.front()->write_stream("one");
    kept_.front()->write_stream("three");
    kept_.front()->end_stream();
  });
  EXPECT_THAT(client.receive_through("\r\n\r\n"), HasSubstr("Transfer-Encoding: chunked"));
  EXPECT_EQ(client.receive_all(), "3\r\none\r\n5\r\nthree\r\n0\r\n\r\n");
}

TEST_F(ConnectionTest, StreamsBareToHttp10) {
  ClientSocket client = open();
  client.send("GET /later HTTP/1.0\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(wait_for_kept());
  on_loop([&] {
    kept_.front()->start_stream({});
    kept_.front()->write_stream("bare");
    kept_.front()->end_stream();
  });
  EXPECT_THAT(client.receive_through("\r\n\r\n"), Not(HasSubstr("chunked")));
  EXPECT_EQ(client.receive_all(), "bare");
}

TEST_F(ConnectionTest, TellsWhenAStreamsPeerHasCaughtUpAndWhenItLeft) {
  ClientSocket client = open();
  client.send(get("/later"));
  ASSERT_TRUE(wait_for_kept());
  on_loop([&] {
    kept_.front()->watch(new Witness(told_));
    kept_.front()->start_stream({});
    kept_.front()->write_stream(std::string(kLarge, 'x'));
  });
  EXPECT_GT(on_loop([&] { return kept_.front()->unwritten_bytes(); }), 0U);
  client.receive_exactly(kLarge);
  ASSERT_TRUE(wait_for_told());
  EXPECT_THAT(told(), ElementsAre("written"));
  client.reset();
  ASSERT_TRUE(bayeux_.wait_until([&] { return told_.size() == 2; }));
  EXPECT_THAT(told(), ElementsAre("written", "peer left"));
}

// ---- Leaving and draining

TEST_F(ConnectionTest, HandsItsSocketOnWithWhatWasReadAhead) {
  ClientSocket client = open();
  client.send(get("/later") + "and more");
  ASSERT_TRUE(wait_for_kept());
  const auto unread = on_loop([&] {
    auto detached = kept_.front()->detach();
    std::string bytes = detached.unread;
    detached.socket.close();
    return bytes;
  });
  EXPECT_EQ(unread, "and more");
  EXPECT_TRUE(wait_until_closed());
}

TEST_F(ConnectionTest, DrainingClosesTheIdleAtOnceAndTheBusyAfterTheirAnswer) {
  ClientSocket idle = open();
  ClientSocket busy = open();
  idle.send(get("/1"));
  idle.receive_answer();
  busy.send(get("/later") + get("/never"));
  ASSERT_TRUE(wait_for_kept());
  drain_all();
  EXPECT_EQ(idle.receive_all(), "");
  answer("last");
  const auto last = busy.receive_answer();
  EXPECT_EQ(last.body, "last");
  EXPECT_THAT(last.head, HasSubstr("Connection: close"));
  EXPECT_EQ(busy.receive_all(), "");
}

}  // namespace
}  // namespace fanfare::transport::http
