#include "wire/websocket/message_reader.hpp"

#include <algorithm>
#include <array>
#include <string>

#include <simdjson.h>

#include "base/check.hpp"
#include "wire/websocket/deflate.hpp"

namespace fanfare::wire::websocket {
namespace {

std::string_view view(std::span<const char> bytes) {
  return {bytes.data(), bytes.size()};
}

std::span<char> take(std::span<char>& input, std::size_t size) {
  const auto taken = input.first(size);
  input = input.subspan(size);
  return taken;
}

bool is_utf8(std::string_view text) {
  return simdjson::validate_utf8(text.data(), text.size());
}

}  // namespace

/// What a connection has while something is unfinished, and only then.
struct MessageReader::Unfinished {
  // Of a header that came in pieces, what there is.
  std::array<char, kHeaderBytesMax> header{};
  std::size_t header_size = 0;

  // The frame whose payload is not complete, if in_frame.
  FrameHeader frame;
  std::uint64_t payload_read = 0;
  bool in_frame = false;

  // The message that the frames so far began, if in_message. A control frame may come between two
  // of its frames (section 5.4), hence the second string.
  bool in_message = false;
  bool is_compressed = false;
  Opcode opcode = Opcode::text;
  std::string message;
  std::string control;
};

MessageReader::MessageReader(const Options& options)
    : message_bytes_max_(options.message_bytes_max), deflate_(options.deflate) {}
MessageReader::MessageReader(MessageReader&&) noexcept = default;
MessageReader& MessageReader::operator=(MessageReader&&) noexcept = default;
MessageReader::~MessageReader() = default;

std::size_t MessageReader::unfinished_bytes() const noexcept {
  return unfinished_ ? unfinished_->message.size() : 0;
}

Event MessageReader::next(std::span<char>& input, Inflater* inflater) {
  release_told();
  if (is_over_) input = {};
  while (!input.empty()) {
    if (!in_frame()) {
      const FrameHeaderResult result = read_header(input);
      if (result.state == FrameHeaderResult::need_more) return {};
      if (result.state == FrameHeaderResult::violation) {
        return end(Event::violation, kProtocolError, result.reason);
      }
      if (const Event refused = check_header(result.header); refused.kind != Event::need_more) {
        return refused;
      }
      if (is_whole(result.header, input)) return read_whole_frame(result.header, input, inflater);
      begin_frame(result.header);
    }
    const Event event = read_payload(input, inflater);
    if (event.kind != Event::need_more) return event;
  }
  return {};
}

bool MessageReader::in_frame() const {
  return unfinished_ && unfinished_->in_frame;
}
bool MessageReader::in_message() const {
  return unfinished_ && unfinished_->in_message;
}

MessageReader::Unfinished& MessageReader::unfinished() {
  if (!unfinished_) unfinished_ = std::make_unique<Unfinished>();
  return *unfinished_;
}

/// Gives back what the last event pointed into.
void MessageReader::release_told() {
  if (!unfinished_) return;
  Unfinished& u = *unfinished_;
  if (is_over_ || !(u.in_frame || u.in_message || u.header_size > 0)) {
    unfinished_.reset();
    return;
  }
  if (!u.in_message) u.message = {};
  if (!u.in_frame) u.control = {};
}

FrameHeaderResult MessageReader::read_header(std::span<char>& input) {
  const std::size_t kept = unfinished_ ? unfinished_->header_size : 0;
  if (kept == 0) {
    const FrameHeaderResult result = parse_frame_header(view(input));
    if (result.state == FrameHeaderResult::complete) take(input, result.header.header_length);
    if (result.state == FrameHeaderResult::need_more) keep_header(take(input, input.size()));
    return result;
  }
  // Rare: the header was cut. Its rest is at most 13 bytes.
  const std::size_t added = std::min(kHeaderBytesMax - kept, input.size());
  keep_header(input.first(added));
  const auto result = parse_frame_header({unfinished_->header.data(), unfinished_->header_size});
  if (result.state == FrameHeaderResult::need_more) {
    take(input, added);
  } else {
    unfinished_->header_size = 0;
    if (result.state == FrameHeaderResult::complete)
      take(input, result.header.header_length - kept);
  }
  return result;
}

void MessageReader::keep_header(std::span<const char> bytes) {
  Unfinished& u = unfinished();
  std::copy(bytes.begin(), bytes.end(),
            u.header.begin() + static_cast<std::ptrdiff_t>(u.header_size));
  u.header_size += bytes.size();
}

/// What a header means in the light of what came before it.
Event MessageReader::check_header(const FrameHeader& header) {
  if (is_control(header.opcode)) return {};
  if (header.rsv1 && !deflate_) {
    return end(Event::violation, kProtocolError, "compression was not agreed on");
  }
  // Section 5.4.
  const bool continues = header.opcode == Opcode::continuation;
  if (continues && !in_message()) {
    return end(Event::violation, kProtocolError, "there is no message to continue");
  }
  if (!continues && in_message()) {
    return end(Event::violation, kProtocolError, "a message begins inside another");
  }
  const std::size_t so_far = continues ? unfinished_->message.size() : 0;
  const bool is_compressed = continues ? unfinished_->is_compressed : header.rsv1;
  if (header.payload_length > wire_bytes_max(is_compressed) - so_far) return too_big();
  return {};
}

/// Data that does not compress grows a little (zlib: by an eighth at the very worst).
std::size_t MessageReader::wire_bytes_max(bool is_compressed) const {
  return is_compressed ? message_bytes_max_ + message_bytes_max_ / 8 + 64 : message_bytes_max_;
}

/// Whether the frame needs nothing but the input.
bool MessageReader::is_whole(const FrameHeader& header, std::span<const char> input) const {
  if (header.payload_length > input.size()) return false;
  return is_control(header.opcode) || (header.is_final && !in_message());
}

Event MessageReader::read_whole_frame(const FrameHeader& header, std::span<char>& input,
                                      Inflater* inflater) {
  const auto payload = take(input, static_cast<std::size_t>(header.payload_length));
  apply_mask(payload, header.masking_key);
  if (is_control(header.opcode)) return finish_control(header.opcode, view(payload));
  return finish_message(header.opcode, header.rsv1, view(payload), inflater);
}

void MessageReader::begin_frame(const FrameHeader& header) {
  Unfinished& u = unfinished();
  u.frame = header;
  u.payload_read = 0;
  u.in_frame = true;
  if (is_control(header.opcode) || u.in_message) return;
  u.in_message = true;
  u.opcode = header.opcode;
  u.is_compressed = header.rsv1;
}

Event MessageReader::read_payload(std::span<char>& input, Inflater* inflater) {
  Unfinished& u = *unfinished_;
  const std::uint64_t missing = u.frame.payload_length - u.payload_read;
  const auto part =
      take(input, static_cast<std::size_t>(std::min<std::uint64_t>(missing, input.size())));
  apply_mask(part, u.frame.masking_key, static_cast<std::size_t>(u.payload_read));
  (is_control(u.frame.opcode) ? u.control : u.message).append(view(part));
  u.payload_read += part.size();
  return part.size() == missing ? finish_frame(inflater) : Event{};
}

Event MessageReader::finish_frame(Inflater* inflater) {
  Unfinished& u = *unfinished_;
  u.in_frame = false;
  if (is_control(u.frame.opcode)) return finish_control(u.frame.opcode, u.control);
  if (!u.frame.is_final) return {};
  u.in_message = false;
  return finish_message(u.opcode, u.is_compressed, u.message, inflater);
}

Event MessageReader::finish_message(Opcode opcode, bool is_compressed, std::string_view payload,
                                    Inflater* inflater) {
  if (is_compressed) {
    FANFARE_CHECK(inflater != nullptr);
    const Inflater::Result result = inflater->inflate(payload, message_bytes_max_);
    if (result.status == Inflater::Result::too_large) return too_big();
    if (result.status == Inflater::Result::corrupt) {
      return end(Event::violation, kInvalidPayload, "the compressed data is corrupt");
    }
    payload = result.message;
  }
  if (opcode == Opcode::binary) return {Event::binary, 0, payload};
  // Section 8.1.
  if (!is_utf8(payload)) return end(Event::violation, kInvalidPayload, "the text is not UTF-8");
  return {Event::text, 0, payload};
}

Event MessageReader::finish_control(Opcode opcode, std::string_view payload) {
  if (opcode == Opcode::close) return finish_close(payload);
  return {opcode == Opcode::ping ? Event::ping : Event::pong, 0, payload};
}

/// Section 5.5.1: nothing, or two bytes of code and then a reason in UTF-8.
Event MessageReader::finish_close(std::string_view payload) {
  if (payload.empty()) return end(Event::close, kNoCloseCode, {});
  if (payload.size() == 1) return end(Event::violation, kProtocolError, "the close code is cut");
  const auto code = static_cast<CloseCode>(static_cast<unsigned char>(payload[0]) << 8 |
                                           static_cast<unsigned char>(payload[1]));
  if (!is_sendable(code))
    return end(Event::violation, kProtocolError, "the close code is not valid");
  const std::string_view reason = payload.substr(sizeof code);
  if (!is_utf8(reason)) {
    return end(Event::violation, kInvalidPayload, "the close reason is not UTF-8");
  }
  return end(Event::close, code, reason);
}

Event MessageReader::too_big() {
  return end(Event::violation, kMessageTooBig, "the message is too big");
}

Event MessageReader::end(Event::Kind kind, CloseCode code, std::string_view reason) {
  is_over_ = true;
  return {kind, code, reason};
}

}  // namespace fanfare::wire::websocket
