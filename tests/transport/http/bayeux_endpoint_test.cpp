#include "transport/http/bayeux_endpoint.hpp"

#include <string>
#include <utility>
#include <vector>

#include "transport/http/http_fixture.hpp"

namespace fanfare::transport::http {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class BayeuxEndpointTest : public HttpFixture {
 protected:
  BayeuxEndpointTest() {
    handles_ = [this](const ConnectionPtr& connection, wire::http1::Request request) {
      const std::string path(request.path());
      endpoint_.handle(connection, bayeux_.realm, std::string_view(path).substr(7),
                       std::move(request));
    };
  }
  ClientSocket::Answer exchange(std::string_view bytes) {
    if (!client_.is_open()) client_ = open();
    client_.send(bytes);
    return client_.receive_answer();
  }
  std::string post(std::string_view messages) {
    return exchange(post_request("/bayeux", messages)).body;
  }
  std::string new_session() {
    const std::string client = client_id_in(post(kHandshakeMessage));
    post(connect_message(client));
    post(subscribe_message(client, "/a"));
    return client;
  }
  /// Sends a connect that is going to be held, on a socket of its own.
  ClientSocket poll(const std::string& client, std::string_view headers = "") {
    ClientSocket socket = open();
    socket.send(post_request("/bayeux", connect_message(client), headers));
    EXPECT_TRUE(bayeux_.wait_until([&] {
      auto* const session =
          bayeux_.service.find(*bayeux_.realm, *protocol::bayeux::SessionId::parse(client));
      return session->holds_connect();
    }));
    return socket;
  }
  ClientSocket stream(const std::string& client) {
    ClientSocket socket = open();
    socket.send("GET /bayeux/" + client +
                " HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n");
    EXPECT_THAT(socket.receive_through("retry: 5000\r\n\r\n"), HasSubstr("text/event-stream"));
    socket.receive_through("\r\n");  // the end of the chunk
    return socket;
  }

  BayeuxEndpoint endpoint_{bayeux_.service,
                           [](core::WorkerIndex, const ConnectionPtr&, wire::http1::Request) {
                             ADD_FAILURE() << "there is only one worker";
                           }};
  ClientSocket client_;
};

// ---- Requests

TEST_F(BayeuxEndpointTest, ReadsJsonWhateverItsLabelAndForms) {
  const std::string form = "message=%5B%7B%22channel%22%3A%22%2Fx%22%2C%22id%22%3A%221%22%7D%5D";
  const std::string json = R"([{"channel":"/x","id":"1"}])";
  const std::vector<std::pair<std::string, std::string>> requests{
      {"application/json", json},
      {"Application/JSON; charset=UTF-8", json},
      {"text/json", json},
      {"application/vnd.api+json", json},
      {"text/plain", json},
      {"application/x-www-form-urlencoded", " " + json},
      {"application/x-www-form-urlencoded", form},
      {"text/plain;charset=UTF-8", form},
      {"application/x-www-form-urlencoded", "other=1&" + form + "&message=%5B%5D"}};
  for (const auto& [type, body] : requests) {
    const auto answer =
        exchange("POST /bayeux HTTP/1.1\r\nHost: x\r\nContent-Type: " + type +
                 "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    EXPECT_EQ(answer.status(), 200) << type << ' ' << body;
    EXPECT_THAT(answer.body, StartsWith(R"([{"id":"1")")) << type;
    EXPECT_THAT(answer.head, HasSubstr("Content-Type: application/json"));
  }
}

TEST_F(BayeuxEndpointTest, RefusesWhatItCannotReadWithoutJson) {
  for (const auto* body : {"", "x=1", "message=", "message=%", "message=5"}) {
    const auto answer = exchange("POST /bayeux HTTP/1.1\r\nHost: x\r\nContent-Length: " +
                                 std::to_string(std::string_view(body).size()) + "\r\n\r\n" + body);
    EXPECT_EQ(answer.status(), 400) << body;
    EXPECT_FALSE(wire::json::validate(answer.body)) << body;
  }
  for (const auto* body : {"[", "5", "[1]", R"([{"channel":"/a","channel":"/b"}])"}) {
    const auto answer = exchange(post_request("/bayeux", body));
    EXPECT_EQ(answer.status(), 400) << body;
    EXPECT_FALSE(wire::json::validate(answer.body)) << body;
  }
  for (const auto* line : {"GET /bayeux", "PUT /bayeux", "DELETE /bayeux", "HEAD /bayeux"}) {
    ClientSocket socket = open();
    socket.send(std::string(line) + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(socket.receive_all(), StartsWith("HTTP/1.1 400 ")) << line;
  }
}

TEST_F(BayeuxEndpointTest, RefusesTooManyMessagesAsTooLarge) {
  core::Realm realm;
  realm.limits.batch_messages_max = 2;
  bayeux_.use(realm);
  EXPECT_EQ(exchange(post_request("/bayeux", "[{},{},{}]")).status(), 413);
}

TEST_F(BayeuxEndpointTest, AnswersEmptyArrays) {
  EXPECT_EQ(post("[]"), "[]");
}

TEST_F(BayeuxEndpointTest, CallsBackAsAScriptThatCanBeNothingElse) {
  const auto answer =
      exchange("GET /bayeux?message=%5B%5D&jsonp=a._b%24.c9 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(answer.body, "/**/a._b$.c9([]);");
  EXPECT_THAT(answer.head, HasSubstr("Content-Type: text/javascript; charset=utf-8"));
  EXPECT_THAT(answer.head, HasSubstr("X-Content-Type-Options: nosniff"));
  EXPECT_THAT(answer.head, HasSubstr("Content-Disposition: attachment; filename=f.txt"));
  EXPECT_EQ(exchange("GET /bayeux?message=%5B%5D HTTP/1.1\r\nHost: x\r\n\r\n").body,
            "/**/jsonpcallback([]);");
}

TEST_F(BayeuxEndpointTest, RefusesCallbacksThatAreNoNames) {
  for (const std::string& callback :
       {std::string(), std::string("a%28b"), std::string("9a"), std::string("a..b"),
        std::string(".a"), std::string("a."), std::string("a-b"), std::string("alert%281%29"),
        std::string("a%0a"), std::string("%C3%A9"), std::string(65, 'a')}) {
    EXPECT_EQ(
        exchange("GET /bayeux?message=%5B%5D&jsonp=" + callback + " HTTP/1.1\r\nHost: x\r\n\r\n")
            .status(),
        400)
        << callback;
  }
}

TEST_F(BayeuxEndpointTest, EscapesWhatEndsALineInAScript) {
  const std::string client = new_session();
  bayeux_.publish("/a", "\"\xe2\x80\xa8 \xe2\x80\xa9 \xe2\x80\xa7 \"");
  const std::string message =
      "%5B%7B%22channel%22%3A%22%2Fmeta%2Fconnect%22%2C%22connectionType%22%3A%22callback-polling"
      "%22%2C%22clientId%22%3A%22" +
      client + "%22%7D%5D";
  const auto answer =
      exchange("GET /bayeux?message=" + message + "&jsonp=f HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(answer.body, HasSubstr("\"\\u2028 \\u2029 \xe2\x80\xa7 "));
}

TEST_F(BayeuxEndpointTest, LetsPagesOfOtherOriginsIn) {
  const auto answer = exchange(post_request("/bayeux", "[]", "Origin: https://a.example\r\n"));
  EXPECT_THAT(answer.head, HasSubstr("Access-Control-Allow-Origin: https://a.example"));
  EXPECT_THAT(answer.head, HasSubstr("Access-Control-Allow-Credentials: true"));
  const auto preflight = exchange(
      "OPTIONS /bayeux HTTP/1.1\r\nHost: x\r\nOrigin: https://a.example\r\n"
      "Access-Control-Request-Method: POST\r\n\r\n");
  EXPECT_EQ(preflight.status() / 100, 2);
  EXPECT_THAT(preflight.head, HasSubstr("Access-Control-Allow-Headers: "));
}

// ---- Polls

TEST_F(BayeuxEndpointTest, AHeldPollBringsWhatIsPublished) {
  const std::string client = new_session();
  ClientSocket held = poll(client);
  bayeux_.publish("/a", R"({"n":1})");
  EXPECT_THAT(held.receive_answer().body, EndsWith(R"(,{"channel":"/a","data":{"n":1}}])"));
}

TEST_F(BayeuxEndpointTest, APollThatIsReplacedEndsWithAnErrorThatIsNoJson) {
  const std::string client = new_session();
  ClientSocket older = poll(client);
  ClientSocket newer = poll(client);
  const auto answer = older.receive_answer();
  EXPECT_EQ(answer.status(), 500);
  EXPECT_EQ(answer.body, "");
  bayeux_.publish("/a", "1");
  EXPECT_THAT(newer.receive_answer().body, HasSubstr(R"("data":1)"));
}

TEST_F(BayeuxEndpointTest, WhatIsPublishedIntoAPollThatWasLeftWaits) {
  const std::string client = new_session();
  for (const bool in_good_order : {true, false}) {
    ClientSocket held = poll(client);
    if (in_good_order) {
      held.close();
    } else {
      held.reset();
    }
    ASSERT_TRUE(bayeux_.wait_until([&] {
      return !bayeux_.service.find(*bayeux_.realm, *protocol::bayeux::SessionId::parse(client))
                  ->holds_connect();
    }));
    bayeux_.publish("/a", "1");
    ASSERT_TRUE(bayeux_.wait_until_waiting(client));
    EXPECT_THAT(post(connect_message(client)), HasSubstr(R"("data":1)"));
  }
}

TEST_F(BayeuxEndpointTest, AnAnswerThatNobodyReadComesAgain) {
  const std::string client = new_session();
  ClientSocket held = poll(client);
  bayeux_.publish("/a", "1");
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  bayeux_.publish("/a", "2");
  held.reset();
  ASSERT_TRUE(bayeux_.wait_until([&] { return has_no_connections_but(1); }));
  EXPECT_THAT(post(connect_message(client)),
              EndsWith(R"({"channel":"/a","data":1},{"channel":"/a","data":2}])"));
}

TEST_F(BayeuxEndpointTest, AnAnswerThatWasReadDoesNotComeAgain) {
  const std::string client = new_session();
  ClientSocket held = poll(client);
  bayeux_.publish("/a", "1");
  EXPECT_THAT(held.receive_answer().body, HasSubstr(R"("data":1)"));
  held.close();
  ASSERT_TRUE(bayeux_.wait_until([&] { return has_no_connections_but(1); }));
  EXPECT_EQ(bayeux_.has_waiting(client), false);
}

TEST_F(BayeuxEndpointTest, ADisconnectSentAheadOfAHeldAnswerHarmsNobody) {
  const std::string client = new_session();
  ClientSocket held = open();
  held.send(post_request("/bayeux", connect_message(client)) +
            post_request("/bayeux", disconnect_message(client)));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  bayeux_.publish("/a", "1");
  EXPECT_THAT(held.receive_answer().body, HasSubstr(R"("data":1)"));
  EXPECT_THAT(held.receive_answer().body, HasSubstr("/meta/disconnect"));
  EXPECT_EQ(bayeux_.has_waiting(client), std::nullopt);
}

// ---- Event streams

TEST_F(BayeuxEndpointTest, AStreamBringsMessagesAsEvents) {
  const std::string client = new_session();
  bayeux_.publish("/a", "1");
  ClientSocket events = stream(client);
  EXPECT_THAT(events.receive_through("\r\n\r\n"),
              EndsWith("data: [{\"channel\":\"/a\",\"data\":1}]\r\n\r\n"));
  bayeux_.publish("/a", "2");
  EXPECT_THAT(events.receive_through("}]\r\n\r\n"), HasSubstr(R"("data":2)"));
}

TEST_F(BayeuxEndpointTest, AStreamOfAnUnknownSessionIsNotFound) {
  for (const std::string& id : {std::string("nobody"), std::string(28, '0'), std::string()}) {
    EXPECT_EQ(
        exchange("GET /bayeux/" + id + " HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n")
            .status(),
        404)
        << id;
  }
}

TEST_F(BayeuxEndpointTest, AStreamEndsWithItsSession) {
  const std::string client = new_session();
  ClientSocket events = stream(client);
  post(disconnect_message(client));
  EXPECT_EQ(events.receive_all(), "0\r\n\r\n");
}

TEST_F(BayeuxEndpointTest, AStreamEndsWhenAPollTakesOver) {
  const std::string client = new_session();
  ClientSocket events = stream(client);
  ClientSocket held = poll(client);
  EXPECT_EQ(events.receive_all(), "0\r\n\r\n");
  bayeux_.publish("/a", "1");
  EXPECT_THAT(held.receive_answer().body, HasSubstr(R"("data":1)"));
}

TEST_F(BayeuxEndpointTest, ANewStreamTakesOverFromTheOld) {
  const std::string client = new_session();
  ClientSocket older = stream(client);
  ClientSocket newer = stream(client);
  EXPECT_EQ(older.receive_all(), "0\r\n\r\n");
  bayeux_.publish("/a", "1");
  EXPECT_THAT(newer.receive_through("}]\r\n\r\n"), HasSubstr(R"("data":1)"));
}

TEST_F(BayeuxEndpointTest, WhatAStreamHadNotWrittenComesByTheNextWay) {
  core::Realm realm;
  realm.limits.outbox_bytes_max = 100'000'000;
  bayeux_.use(realm);
  const std::string client = new_session();
  {
    ClientSocket events = stream(client);
    const std::string data = '"' + std::string(60'000, 'x');
    for (int i = 0; i < 200; ++i) bayeux_.publish("/a", data + std::to_string(i) + '"');
    events.reset();
  }
  ASSERT_TRUE(bayeux_.wait_until_waiting(client));
  // From some message on everything is there, and in order.
  std::vector<int> got;
  for (std::string body = post(connect_message(client, R"(,"advice":{"timeout":0})"));
       body.find("data") != std::string::npos;
       body = post(connect_message(client, R"(,"advice":{"timeout":0})"))) {
    wire::json::validate(body)->for_each_element([&](const wire::json::Value& element) {
      if (const auto data = element.find("data")) {
        got.push_back(std::stoi(data->as_string().substr(60'000)));
      }
    });
  }
  ASSERT_FALSE(got.empty());
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i], 200 - static_cast<int>(got.size()) + static_cast<int>(i));
  }
}

TEST_F(BayeuxEndpointTest, ASlowStreamGetsEverythingInTheEnd) {
  core::Realm realm;
  realm.limits.outbox_bytes_max = 100'000'000;
  bayeux_.use(realm);
  const std::string client = new_session();
  ClientSocket events = stream(client);
  const std::string data = '"' + std::string(60'000, 'x');
  for (int i = 0; i < 200; ++i) bayeux_.publish("/a", data + std::to_string(i) + '"');
  std::string all = events.receive_through("x199\"}]\r\n\r\n");
  std::size_t at = 0;
  for (int i = 0; i < 200; ++i) {
    at = all.find("x" + std::to_string(i) + "\"}", at);
    ASSERT_NE(at, std::string::npos) << i;
  }
}

TEST_F(BayeuxEndpointTest, ASilentStreamIsPinged) {
  const std::string client = new_session();
  ClientSocket events = stream(client);
  bayeux_.thread.advance(base::Duration(31'000));
  EXPECT_EQ(events.receive_through(":\r\n\r\n\r\n"), "5\r\n:\r\n\r\n\r\n");
}

TEST_F(BayeuxEndpointTest, APingThatFindsThePeerGoneTakesTheStreamDownInGoodOrder) {
  const std::string client = new_session();
  ClientSocket events = stream(client);
  on_loop([&] {
    // In one task, so that the loop cannot see the reset before the ping does.
    events.reset();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    bayeux_.thread.clock.advance(base::Duration(31'000));
    bayeux_.thread.loop.timers().advance(bayeux_.thread.clock.now());
  });
  bayeux_.publish("/a", "1");
  ASSERT_TRUE(bayeux_.wait_until_waiting(client));
  EXPECT_THAT(post(connect_message(client)), HasSubstr(R"("data":1)"));
}

TEST_F(BayeuxEndpointTest, PeersThatResetBeforeTheirStreamOpensHarmNobody) {
  const std::string client = new_session();
  for (int i = 0; i < 30; ++i) {
    ClientSocket socket = open();
    on_loop([&] {
      // In one task, so that the request and the reset are found together.
      socket.send("GET /bayeux/" + client +
                  " HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n");
      socket.reset();
    });
  }
  bayeux_.publish("/a", "1");
  ASSERT_TRUE(bayeux_.wait_until_waiting(client));
  EXPECT_THAT(post(connect_message(client)), HasSubstr(R"("data":1)"));
}

}  // namespace
}  // namespace fanfare::transport::http
