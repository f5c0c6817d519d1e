#include "wire/websocket/deflate.hpp"

#include <algorithm>
#include <limits>
#include <new>
#include <utility>

#include <zlib.h>

#include "base/check.hpp"
#include "base/fault.hpp"
#include "wire/websocket/list.hpp"

namespace fanfare::wire::websocket {
namespace {

// What every flushed stretch of deflate ends with, and what a sender leaves out (section 7.2.1).
constexpr std::string_view kTail{"\x00\x00\xff\xff", 4};

/// zlib declares its input as not const; it does not write to it.
void set_input(z_stream& stream, std::string_view input) {
  FANFARE_CHECK(input.size() <= std::numeric_limits<uInt>::max());
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
  stream.avail_in = static_cast<uInt>(input.size());
}

void set_output(z_stream& stream, std::string& buffer, std::size_t begin, std::size_t end) {
  stream.next_out = reinterpret_cast<Bytef*>(buffer.data() + begin);
  stream.avail_out =
      static_cast<uInt>(std::min<std::size_t>(end - begin, std::numeric_limits<uInt>::max()));
}

std::size_t written(const z_stream& stream, const std::string& buffer) {
  return static_cast<std::size_t>(reinterpret_cast<const char*>(stream.next_out) - buffer.data());
}

/// 8 to 15, without leading zeros (section 7.1.2); 0 for anything else.
int parse_window_bits(std::string_view text) {
  if (text == "8" || text == "9") return text[0] - '0';
  if (text.size() == 2 && text[0] == '1' && text[1] >= '0' && text[1] <= '5') {
    return 10 + (text[1] - '0');
  }
  return 0;
}

/// One offer of permessage-deflate, parameter by parameter (section 7.1).
class Offer {
 public:
  /// False if the offer must be declined.
  bool take(std::string_view name, std::string_view value, bool has_value) {
    if (name == "server_no_context_takeover") return once(server_no_context_) && !has_value;
    if (name == "client_no_context_takeover") return once(client_no_context_) && !has_value;
    if (name == "client_max_window_bits") {
      // Only a hint, and our inflater reads every window.
      return once(client_bits_) && (!has_value || parse_window_bits(value) != 0);
    }
    if (name == "server_max_window_bits") {
      server_window_bits_ = parse_window_bits(value);
      return once(server_bits_) && server_window_bits_ >= kWindowBitsMin;
    }
    return false;
  }

  [[nodiscard]] DeflateAgreement accept() const {
    DeflateAgreement agreement{
        server_window_bits_,
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover"};
    // Section 7.1.2.1: an answer that leaves it out would decline it.
    if (server_bits_) {
      agreement.response += "; server_max_window_bits=" + std::to_string(server_window_bits_);
    }
    return agreement;
  }

 private:
  static bool once(bool& seen) { return !std::exchange(seen, true); }

  bool server_no_context_ = false;
  bool client_no_context_ = false;
  bool client_bits_ = false;
  bool server_bits_ = false;
  int server_window_bits_ = kWindowBitsMax;
};

/// `=value` or `="value"` behind a parameter's name. False if there is a '=' and nothing behind it.
bool read_value(ListReader& list, std::string_view& value, bool& has_value) {
  has_value = list.skip('=');
  if (!has_value) return true;
  value = list.token();
  return !value.empty() || list.quoted(value);
}

}  // namespace

std::optional<DeflateAgreement> negotiate_deflate(std::string_view sec_websocket_extensions) {
  ListReader list(sec_websocket_extensions);
  for (list.skip_commas(); !list.at_end(); list.skip_commas()) {
    Offer offer;
    bool is_acceptable = list.token() == "permessage-deflate";
    while (list.skip(';')) {
      const std::string_view name = list.token();
      std::string_view value;
      bool has_value = false;
      if (name.empty() || !read_value(list, value, has_value)) return std::nullopt;
      if (is_acceptable) is_acceptable = offer.take(name, value, has_value);
    }
    // A list that is not one: nothing behind this place can be trusted.
    if (!list.at_element_end()) return std::nullopt;
    if (is_acceptable) return offer.accept();
  }
  return std::nullopt;
}

Deflater::Deflater() = default;
Deflater::~Deflater() = default;

void Deflater::EndStream::operator()(z_stream_s* stream) const noexcept {
  deflateEnd(stream);
  delete stream;
}

z_stream_s& Deflater::stream(int window_bits) {
  FANFARE_CHECK(window_bits >= kWindowBitsMin && window_bits <= kWindowBitsMax);
  Stream& stream = streams_[static_cast<std::size_t>(window_bits - kWindowBitsMin)];
  if (!stream) {
    constexpr int kMemoryLevel = 8;  // zlib's default
    auto fresh = std::make_unique<z_stream>();
    // A negative window makes raw deflate, without zlib's own header.
    if (deflateInit2(fresh.get(), Z_DEFAULT_COMPRESSION, Z_DEFLATED, -window_bits, kMemoryLevel,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
      throw std::bad_alloc();
    }
    stream.reset(fresh.release());
  }
  return *stream;
}

std::string Deflater::compress(std::string_view message, int window_bits) {
  z_stream& z = stream(window_bits);
  deflateReset(&z);
  set_input(z, message);
  // zlib's bound is for a finished stream; a flushed one is up to 5 bytes longer.
  const std::size_t bound = deflateBound(&z, static_cast<uLong>(message.size())) + 16;
  if (scratch_.size() < bound) scratch_.resize(bound);
  set_output(z, scratch_, 0, scratch_.size());
  deflate(&z, Z_SYNC_FLUSH);
  FANFARE_CHECK(z.avail_in == 0 && z.avail_out > 0);  // that is, it is flushed
  return scratch_.substr(0, written(z, scratch_) - kTail.size());
}

Inflater::Inflater() {
  auto fresh = std::make_unique<z_stream>();
  if (inflateInit2(fresh.get(), -kWindowBitsMax) != Z_OK) throw std::bad_alloc();
  stream_.reset(fresh.release());
}
Inflater::~Inflater() = default;

void Inflater::EndStream::operator()(z_stream_s* stream) const noexcept {
  inflateEnd(stream);
  delete stream;
}

Inflater::Result Inflater::inflate(std::string_view payload, std::size_t message_bytes_max) {
  FANFARE_MAY_THROW("the inflating of a message");
  size_ = 0;
  inflateReset(stream_.get());
  Result::Status status = run(payload, message_bytes_max);
  if (status == Result::ok) status = run(kTail, message_bytes_max);
  // zlib sets this bit when it stands between two blocks; anywhere else, the message was cut.
  constexpr int kIsBetweenBlocks = 128;
  if (status == Result::ok && (stream_->data_type & kIsBetweenBlocks) == 0) {
    status = Result::corrupt;
  }
  if (status != Result::ok) return {status, {}};
  return {Result::ok, std::string_view(output_).substr(0, size_)};
}

Inflater::Result::Status Inflater::run(std::string_view input, std::size_t message_bytes_max) {
  z_stream& z = *stream_;
  set_input(z, input);
  for (;;) {
    const std::size_t end = make_room(message_bytes_max);
    set_output(z, output_, size_, end);
    const int result = ::inflate(&z, Z_SYNC_FLUSH);
    size_ = written(z, output_);
    if (size_ > message_bytes_max) return Result::too_large;
    if (result == Z_STREAM_END) {
      // A last block inside a message is allowed (section 7.2.3.4), and more blocks may follow.
      inflateReset(&z);
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      return Result::corrupt;
    }
    if (z.avail_in == 0 && z.avail_out > 0) return Result::ok;
    if (result == Z_BUF_ERROR && z.avail_out > 0) return Result::corrupt;
  }
}

/// Makes room behind what there is of the message, but never for more than one byte too many, which
/// is enough to see that it is too large. Returns where the room ends.
std::size_t Inflater::make_room(std::size_t message_bytes_max) {
  constexpr std::size_t kFirstBytes = 4096;
  const std::size_t wanted = std::min(message_bytes_max + 1, std::max(kFirstBytes, size_ * 2));
  if (output_.size() <= size_) output_.resize(wanted);
  return std::min(output_.size(), message_bytes_max + 1);
}

}  // namespace fanfare::wire::websocket
