// Whatever a visitor writes into Forwarded and X-Forwarded-For: what a proxy has appended behind it
// is read, and the visitor's text is left over unread. What is read of that is an address.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.hpp"
#include "wire/http1/forwarded.hpp"
#include "wire/http1/text.hpp"

namespace {

using namespace fanfare::wire::http1;
using fanfare::base::IpAddress;
using fanfare::base::IpNetwork;

using Cut = std::optional<IpAddress> (*)(std::string_view&);

void check_address(const IpAddress& address) {
  FANFARE_CHECK(IpAddress::parse(address.text()) == address);
}

/// Reads it to its end; each step must come nearer.
void read_all(std::string_view list, Cut cut) {
  while (!list.empty()) {
    const std::size_t before = list.size();
    const auto address = cut(list);
    if (!address) break;
    check_address(*address);
    FANFARE_CHECK(list.size() < before);
  }
}

void check_appended(std::string_view visitors, Cut cut, std::string_view appended,
                    std::string_view meant) {
  std::string all(visitors);
  all.append(",").append(appended);
  std::string_view list = all;
  FANFARE_CHECK(cut(list) == IpAddress::parse(meant));
  FANFARE_CHECK(list == visitors);
}

/// A head with the text as a field, behind which a trusted proxy has written whom it serves.
void check_request(std::string_view visitors, std::string_view name, std::string_view appended) {
  std::string head = "GET / HTTP/1.1\r\nHost: x\r\n";
  head.append(name).append(": ").append(visitors).append("\r\n");
  head.append(name).append(": ").append(appended).append("\r\n\r\n");
  RequestParser parser({});
  // A text with line ends in it is not one field.
  if (parser.feed(head).state != Progress::complete) return;
  const Request request = parser.take_request();
  if (request.count(name) != 2) return;

  const auto peer = *IpAddress::parse("127.0.0.1");
  const std::vector trusted{*IpNetwork::parse("127.0.0.0/8"), *IpNetwork::parse("::1")};
  FANFARE_CHECK(visitor_of(request, peer, {}) == peer);
  FANFARE_CHECK(visitor_of(request, peer, trusted) == IpAddress::parse("192.0.2.1"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  read_all(text, cut_forwarded);
  read_all(text, cut_forwarded_for);
  check_appended(text, cut_forwarded, R"( for=192.0.2.1;proto=https)", "192.0.2.1");
  check_appended(text, cut_forwarded, R"(host="a\",b\\";For="[2001:db8::1]:80")", "2001:db8::1");
  check_appended(text, cut_forwarded_for, " 192.0.2.1", "192.0.2.1");
  if (text.find_first_of("\r\n") == std::string_view::npos) {
    check_request(text, "X-Forwarded-For", "192.0.2.1, 127.0.0.2");
    check_request(text, "Forwarded", R"(for=192.0.2.1;by="_x", for="[::1]")");
  }
  return 0;
}
