#include "wire/websocket/message_reader.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/websocket/client_frame.hpp"
#include "wire/websocket/deflate.hpp"
#include "wire/websocket/fed_messages.hpp"

namespace fanfare::wire::websocket {
namespace {

using testing::ElementsAre;

static_assert(sizeof(MessageReader) <= 24, "as its header says");

constexpr MessageReader::Options kPlain{.message_bytes_max = 1000};
constexpr MessageReader::Options kDeflate{.message_bytes_max = 1000, .deflate = true};

std::string text(std::string payload) {
  return client_frame({.payload = std::move(payload)});
}
std::string begin(std::string payload) {
  return client_frame({.payload = std::move(payload), .is_final = false});
}
std::string more(std::string payload) {
  return client_frame(
      {.opcode = Opcode::continuation, .payload = std::move(payload), .is_final = false});
}
std::string last(std::string payload) {
  return client_frame({.opcode = Opcode::continuation, .payload = std::move(payload)});
}
std::string ping(std::string payload) {
  return client_frame({.opcode = Opcode::ping, .payload = std::move(payload)});
}
std::string compressed(std::string_view message) {
  Deflater deflater;
  return client_frame({.payload = deflater.compress(message), .rsv1 = true});
}

/// What `input` says when it comes whole; checks that no way of cutting it says anything else.
std::vector<std::string> events(std::string_view input,
                                const MessageReader::Options& options = kPlain) {
  FedMessages whole(options);
  whole.feed(input);
  EXPECT_EQ(whole.left_over(), 0U);

  FedMessages bytes(options);
  for (const char& byte : input) bytes.feed({&byte, 1});
  EXPECT_EQ(bytes.events(), whole.events()) << "byte by byte";
  EXPECT_EQ(bytes.left_over(), 0U);

  for (std::size_t cut = 1; cut < input.size(); ++cut) {
    FedMessages parts(options);
    parts.feed(input.substr(0, cut));
    parts.feed(input.substr(cut));
    EXPECT_EQ(parts.events(), whole.events()) << "cut at " << cut;
    EXPECT_EQ(parts.left_over(), 0U);
  }
  return whole.events();
}

TEST(MessageReaderTest, ReadsMessagesOneAfterTheOther) {
  const std::string binary = client_frame({.opcode = Opcode::binary, .payload = "\xff"});
  EXPECT_THAT(events(text("hello") + text("") + binary),
              ElementsAre("text hello", "text ", "binary \xff"));
}

TEST(MessageReaderTest, LeavesAWholeMessageWhereItLies) {
  std::string scratch = text("hello") + text("world");
  std::span<char> input(scratch);
  MessageReader reader(kPlain);
  const Event event = reader.next(input);
  EXPECT_EQ(event.payload, "hello");
  EXPECT_EQ(event.payload.data(), scratch.data() + 6);
  EXPECT_TRUE(reader.is_between_messages());
}

TEST(MessageReaderTest, JoinsFragments) {
  EXPECT_THAT(events(begin("a") + more("") + more("bc") + last("d")), ElementsAre("text abcd"));
  EXPECT_THAT(events(begin("") + last("")), ElementsAre("text "));
}

TEST(MessageReaderTest, HearsControlFramesInsideAMessage) {
  EXPECT_THAT(events(begin("a") + ping("p") + last("b") + ping("")),
              ElementsAre("ping p", "text ab", "ping "));
  EXPECT_THAT(events(begin("a") + client_frame({.opcode = Opcode::pong, .payload = "q"}) +
                     client_close(1001, "bye")),
              ElementsAre("pong q", "close 1001 bye"));
}

TEST(MessageReaderTest, ReadsLongLengths) {
  const std::string long_text(300, 'x');
  EXPECT_THAT(events(text(long_text)), ElementsAre("text " + long_text));

  const std::string longest(70'000, 'y');
  FedMessages messages({.message_bytes_max = 70'000});
  const std::string frame = text(longest);
  for (std::size_t at = 0; at < frame.size(); at += 4096) {
    messages.feed(std::string_view(frame).substr(at, 4096));
  }
  EXPECT_THAT(messages.events(), ElementsAre("text " + longest));
}

TEST(MessageReaderTest, AcceptsCharactersThatFragmentsCut) {
  EXPECT_THAT(events(begin("\xc3") + last("\xa4")), ElementsAre("text \xc3\xa4"));
}

TEST(MessageReaderTest, TellsHowThePeerCloses) {
  EXPECT_THAT(events(client_frame({.opcode = Opcode::close})), ElementsAre("close 1005 "));
  EXPECT_THAT(events(client_close(1000)), ElementsAre("close 1000 "));
  EXPECT_THAT(events(client_close(4999, std::string(123, 'x'))),
              ElementsAre("close 4999 " + std::string(123, 'x')));
}

TEST(MessageReaderTest, DropsWhatFollowsTheEnd) {
  EXPECT_THAT(events(client_close(1000) + text("x")), ElementsAre("close 1000 "));
  EXPECT_THAT(events("\x81\x01x" + text("x")),
              ElementsAre("violation 1002 the frame is not masked"));
}

struct Violation {
  std::string_view what;
  std::string input;
  CloseCode code;
};

TEST(MessageReaderTest, NamesTheCodeOfEveryViolation) {
  const std::string kCut = "\xc3";
  const Violation kViolations[] = {
      {"a continuation of nothing", last("x"), 1002},
      {"a continuation behind a whole message", text("x") + last("x"), 1002},
      {"a message inside a message", begin("x") + text("x"), 1002},
      {"a first fragment inside a message", begin("x") + begin("x"), 1002},
      {"compression that was not agreed on", client_frame({.rsv1 = true}), 1002},
      {"half a close code", client_frame({.opcode = Opcode::close, .payload = "x"}), 1002},
      {"a close code that is never sent", client_close(1005), 1002},
      {"a close code that nobody has", client_close(2999), 1002},
      {"a close reason that is not UTF-8", client_close(1000, kCut), 1007},
      {"a text that is not UTF-8", text("x\xff"), 1007},
      {"a text with half a character", text(kCut), 1007},
      {"a text with a surrogate", text("\xed\xa0\x80"), 1007},
      {"a text in too long a form", text("\xc0\x80"), 1007},
      {"a fragmented text that is not UTF-8", begin(kCut) + last("x"), 1007},
      {"a message over the limit", text(std::string(1001, 'x')), 1009},
      {"fragments over the limit", begin(std::string(600, 'x')) + last(std::string(401, 'x')),
       1009},
  };
  for (const Violation& violation : kViolations) {
    SCOPED_TRACE(violation.what);
    const auto told = events(violation.input);
    ASSERT_FALSE(told.empty());
    EXPECT_EQ(told.back().substr(0, 14), "violation " + std::to_string(violation.code));
  }
}

TEST(MessageReaderTest, RefusesALargeFrameByItsHeader) {
  const std::string frame = text(std::string(1001, 'x'));
  EXPECT_THAT(events(std::string_view(frame).substr(0, 8)),
              ElementsAre("violation 1009 the message is too big"));
  EXPECT_EQ(events(text(std::string(1000, 'x'))).size(), 1U);
}

TEST(MessageReaderTest, InflatesMessages) {
  const std::string message(1000, 'x');
  EXPECT_THAT(events(compressed(message) + text("plain") + compressed(""), kDeflate),
              ElementsAre("text " + message, "text plain", "text "));
}

TEST(MessageReaderTest, InflatesFragmentsAsOneMessage) {
  const std::string payload = Deflater().compress("hello");
  const std::string first =
      client_frame({.payload = payload.substr(0, 2), .is_final = false, .rsv1 = true});
  EXPECT_THAT(events(first + ping("") + last(payload.substr(2)), kDeflate),
              ElementsAre("ping ", "text hello"));
}

TEST(MessageReaderTest, RefusesWhatInflatesToTooMuchOrToNothing) {
  EXPECT_THAT(events(compressed(std::string(1001, 'x')), kDeflate),
              ElementsAre("violation 1009 the message is too big"));
  EXPECT_THAT(events(client_frame({.payload = "\xff\xff", .rsv1 = true}), kDeflate),
              ElementsAre("violation 1007 the compressed data is corrupt"));
  EXPECT_THAT(events(compressed("\xff"), kDeflate),
              ElementsAre("violation 1007 the text is not UTF-8"));
}

TEST(MessageReaderTest, TakesAMessageAtTheLimitThatDoesNotCompress) {
  std::string noise;
  for (unsigned i = 0, x = 1; i < 1000; ++i, x = x * 1103515245 + 12345) {
    noise += static_cast<char>(x >> 16 & 0xff);
  }
  const std::string payload = Deflater().compress(noise);
  ASSERT_GT(payload.size(), noise.size());
  EXPECT_THAT(
      events(client_frame({.opcode = Opcode::binary, .payload = payload, .rsv1 = true}), kDeflate),
      ElementsAre("binary " + noise));
}

TEST(MessageReaderTest, HoldsMemoryOnlyWhileSomethingIsUnfinished) {
  FedMessages messages(kPlain);
  messages.feed(text("x"));
  EXPECT_TRUE(messages.reader().is_between_messages());
  messages.feed(ping("x").substr(0, 1));
  EXPECT_FALSE(messages.reader().is_between_messages());
  messages.feed(ping("x").substr(1));
  EXPECT_TRUE(messages.reader().is_between_messages());
  messages.feed(begin("x"));
  EXPECT_FALSE(messages.reader().is_between_messages());
  messages.feed(last("x"));
  EXPECT_TRUE(messages.reader().is_between_messages());
}

TEST(MessageReaderTest, MovesWithAMessageHalfRead) {
  std::string first = begin("ab").substr(0, 7);
  std::string second = begin("ab").substr(7) + last("c");
  std::span<char> input(first);
  MessageReader reader(kPlain);
  EXPECT_EQ(reader.next(input).kind, Event::need_more);
  MessageReader moved(std::move(reader));
  input = second;
  EXPECT_EQ(moved.next(input).payload, "abc");
}

}  // namespace
}  // namespace fanfare::wire::websocket
