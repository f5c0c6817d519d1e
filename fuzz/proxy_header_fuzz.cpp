// Whatever a peer sends in front of its connection, and however the network cuts it: the same
// header of the same length, or a refusal that no further byte would have changed. The address that
// was read is read again when it is written down in the other version.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.hpp"
#include "wire/proxy/header.hpp"

namespace {

using namespace fanfare::wire::proxy;
using fanfare::base::IpAddress;

void check_same(const HeaderResult& a, const HeaderResult& b) {
  FANFARE_CHECK(a.state == b.state);
  FANFARE_CHECK(a.size == b.size);
  FANFARE_CHECK(a.source == b.source);
}

/// What stays the result of every longer input, once there is one.
HeaderResult read_byte_by_byte(std::string_view input) {
  for (std::size_t size = 0; size <= input.size(); ++size) {
    const HeaderResult result = read_header(input.substr(0, size));
    if (result.state != HeaderResult::need_more) return result;
    FANFARE_CHECK(size < kHeaderBytesMax);
  }
  return {};
}

void check_rewritten(const IpAddress& source) {
  const std::string text = source.text();
  const std::string family = source.is_v4() ? "TCP4 " : "TCP6 ";
  const std::string line = "PROXY " + family + text + ' ' + text + " 1 2\r\n";
  FANFARE_CHECK(line.size() <= kV1BytesMax);
  const HeaderResult again = read_header(line);
  FANFARE_CHECK(again.size == line.size());
  FANFARE_CHECK(again.source == source);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const HeaderResult whole = read_header(input);
  check_same(whole, read_byte_by_byte(input));
  if (whole.state != HeaderResult::complete) return 0;
  FANFARE_CHECK(whole.size <= size && whole.size <= kHeaderBytesMax);
  check_same(whole, read_header(input.substr(0, whole.size)));
  if (whole.source) check_rewritten(*whole.source);
  return 0;
}
