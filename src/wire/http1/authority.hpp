#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace fanfare::wire::http1 {

/// How much of `host[:port]` is the host; nothing if it is no authority that a name server or an
/// address could stand behind. Narrower than RFC 3986 section 3.2: no user (an http URI must not
/// have one, RFC 9110 section 4.2.4), no escapes, no marks but '-', '.' and '_'.
std::optional<std::size_t> host_size_of(std::string_view authority);

}  // namespace fanfare::wire::http1
