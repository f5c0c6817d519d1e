#pragma once

#include <cstdint>
#include <string_view>

namespace fanfare::base {

/// Reports what a `catch (...)` has caught, from inside it: one line in the log, and at most one a
/// minute with the number of those that it leaves out. `what` is what threw: "a timer". Want of
/// memory is no such throw: it ends the process, see base/memory.hpp.
///
/// Threads: any.
void report_caught(std::string_view what) noexcept;

/// How many have been reported since the start, in the log or not.
[[nodiscard]] std::uint64_t caught_count() noexcept;

}  // namespace fanfare::base
