#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "base/ip_address.hpp"
#include "wire/http1/request.hpp"

namespace fanfare::wire::http1 {

/// Whose request this is, when `peer` sent it: the peer itself, unless that is one of the `trusted`
/// proxies and says for whom. Each proxy writes whom it was connected with behind what it was sent,
/// so we walk from the right until the first address that is not trusted: what stands left of that,
/// anybody may have written. `Forwarded` (RFC 7239) counts before `X-Forwarded-For`. What cannot be
/// read ("unknown", "_hidden", rubbish) ends the walk at the last address that is known, and so
/// does the 32nd proxy.
///
/// Cost: every byte of the field is looked at a fixed number of times.
base::IpAddress visitor_of(const Request& request, const base::IpAddress& peer,
                           std::span<const base::IpNetwork> trusted);

/// Whether there is anything for visitor_of() to read.
bool is_forwarded(const Request& request);

/// The two below cut the right-most element off the end of a field's value and read the address in
/// it, whatever port stands there. Nothing when there is no element, or no address in it.
///
/// `Forwarded`, its `for`. It is read from its end, quoted texts too, so that no open quote of a
/// visitor can swallow what a proxy has written behind it.
std::optional<base::IpAddress> cut_forwarded(std::string_view& list);
std::optional<base::IpAddress> cut_forwarded_for(std::string_view& list);

}  // namespace fanfare::wire::http1
