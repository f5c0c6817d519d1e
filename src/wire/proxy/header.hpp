#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "base/ip_address.hpp"
#include "base/units.hpp"

namespace fanfare::wire::proxy {

using namespace base::literals;

/// Version 1 is one line of at most this, its end included (section 2.1 of the specification).
inline constexpr std::size_t kV1BytesMax = 107;
/// Version 2 may carry 64 KiB of extensions, none of which we read. Addresses take 52 bytes; with a
/// name of the server, a certificate's, and a checksum HAProxy stays far below this.
inline constexpr std::size_t kHeaderBytesMax = 4_KiB;

struct HeaderResult {
  enum State {
    need_more,
    complete,
    failed,  // no PROXY header, or a broken one
  };
  State state = need_more;
  /// Of `complete`: bytes of the header; what follows is the visitor's.
  std::size_t size = 0;
  /// Of `complete`: with whom the proxy was connected. Nothing when it speaks for itself (a health
  /// check), or about something that has no IP address: then the connection's own peer counts.
  std::optional<base::IpAddress> source = std::nullopt;
};

/// Reads the header at the beginning of `bytes`. Says `failed` at the first byte that cannot be
/// right, and `need_more` for nothing longer than a header may be.
HeaderResult read_header(std::string_view bytes);

}  // namespace fanfare::wire::proxy
