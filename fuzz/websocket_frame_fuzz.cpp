// Whatever a peer sends, and however the network cuts it: the same messages and the same end. A
// header that was accepted is the only way of writing it, and no message passes the limit.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/check.hpp"
#include "wire/websocket/deflate.hpp"
#include "wire/websocket/frame.hpp"
#include "wire/websocket/message_reader.hpp"

namespace {

using namespace fanfare::wire::websocket;

constexpr std::size_t kMessageBytesMax = 512;

using Told = std::tuple<Event::Kind, CloseCode, std::string>;

/// Reads `input` in pieces, each from a buffer of its own that is gone afterwards.
std::vector<Told> read(std::string_view input, std::size_t piece, bool deflate) {
  std::vector<Told> told;
  MessageReader reader({.message_bytes_max = kMessageBytesMax, .deflate = deflate});
  Inflater inflater;
  while (!input.empty()) {
    std::string scratch(input.substr(0, piece));
    input.remove_prefix(scratch.size());
    std::span<char> rest(scratch);
    for (;;) {
      const Event event = reader.next(rest, &inflater);
      if (event.kind == Event::need_more) break;
      FANFARE_CHECK(event.payload.size() <= kMessageBytesMax);
      told.emplace_back(event.kind, event.code, event.payload);
    }
    FANFARE_CHECK(rest.empty());
  }
  return told;
}

void check_header(std::string_view input) {
  const FrameHeaderResult result = parse_frame_header(input);
  if (result.state != FrameHeaderResult::complete) return;
  const FrameHeader& header = result.header;
  std::string again(kServerHeaderBytesMax, '\0');
  again.resize(write_header(again.data(), header.opcode, header.payload_length, header.rsv1));
  if (!header.is_final) again[0] = static_cast<char>(again[0] & 0x7f);
  again[1] = static_cast<char>(again[1] | 0x80);
  again.append(header.masking_key.data(), header.masking_key.size());
  FANFARE_CHECK(again == input.substr(0, header.header_length));
}

void check_deflate(std::string_view message) {
  Deflater deflater;
  Inflater inflater;
  const std::string payload = deflater.compress(message);
  const auto result = inflater.inflate(payload, message.size());
  FANFARE_CHECK(result.status == Inflater::Result::ok);
  FANFARE_CHECK(result.message == message);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = data[0] % 64U + 1;
  const bool deflate = data[0] >= 128;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);

  check_header(input);
  const auto whole = read(input, size, deflate);
  FANFARE_CHECK(whole == read(input, piece, deflate));
  FANFARE_CHECK(whole == read(input, 1, deflate));
  if (deflate) check_deflate(input);
  return 0;
}
