#include "wire/http1/chunked_body.hpp"

#include <algorithm>

#include "wire/http1/text.hpp"

namespace fanfare::wire::http1 {

ChunkedBody::Progress ChunkedBody::feed(std::string_view bytes, std::string& body,
                                        std::size_t body_bytes_max) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    if (next_ == Next::data) {
      const std::size_t size = std::min(chunk_remaining_, bytes.size() - at);
      body.append(bytes.substr(at, size));
      at += size;
      chunk_remaining_ -= size;
      if (chunk_remaining_ == 0) next_ = Next::data_cr;
      continue;
    }
    const State state = step(bytes[at++], body_bytes_max - body.size());
    if (state != State::need_more) return {at, state};
  }
  return {at, State::need_more};
}

ChunkedBody::State ChunkedBody::step(char c, std::size_t room) {
  switch (next_) {
    case Next::first_digit:
    case Next::digit:
      return read_size_digit(c, room);
    case Next::blank:
      return c == '\r' ? State::malformed : begin_extension(c);
    case Next::extension:
      return skip_extra(c, Next::size_lf);
    case Next::size_lf:
      size_digits_ = 0;
      return expect(c, '\n', chunk_remaining_ == 0 ? Next::trailer_first : Next::data);
    case Next::data:
      break;  // feed() takes data as a whole
    case Next::data_cr:
      return expect(c, '\r', Next::data_lf);
    case Next::data_lf:
      return expect(c, '\n', Next::first_digit);
    case Next::trailer_first:
      // Folded lines (RFC 9112 section 5.2) are as unwelcome here as in the head.
      if (c == ' ' || c == '\t') return State::malformed;
      next_ = Next::trailer;
      return skip_extra(c, Next::last_lf);
    case Next::trailer:
      return skip_extra(c, Next::trailer_lf);
    case Next::trailer_lf:
      return expect(c, '\n', Next::trailer_first);
    case Next::last_lf:
      return c == '\n' ? State::complete : State::malformed;
  }
  return State::malformed;
}

ChunkedBody::State ChunkedBody::read_size_digit(char c, std::size_t room) {
  const int value = hex_value(c);
  if (value < 0) return next_ == Next::digit ? begin_extension(c) : State::malformed;
  if (next_ == Next::first_digit) chunk_remaining_ = 0;
  next_ = Next::digit;
  if (++size_digits_ > kSizeDigitsMax) return State::malformed;
  chunk_remaining_ = chunk_remaining_ * 16 + static_cast<std::size_t>(value);
  return chunk_remaining_ > room ? State::body_too_large : State::need_more;
}

ChunkedBody::State ChunkedBody::begin_extension(char c) {
  switch (c) {
    case '\r':
    case ';':
      next_ = Next::extension;
      break;
    case ' ':
    case '\t':
      next_ = Next::blank;
      break;
    default:
      return State::malformed;
  }
  return skip_extra(c, Next::size_lf);
}

ChunkedBody::State ChunkedBody::skip_extra(char c, Next after_cr) {
  if (c == '\r') {
    next_ = after_cr;
    return State::need_more;
  }
  if (!is_field_char(c)) return State::malformed;
  return ++extra_bytes_ > kExtraBytesMax ? State::extras_too_large : State::need_more;
}

ChunkedBody::State ChunkedBody::expect(char c, char wanted, Next next) {
  next_ = next;
  return c == wanted ? State::need_more : State::malformed;
}

}  // namespace fanfare::wire::http1
