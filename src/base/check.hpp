#pragma once

namespace fanfare::base {

/// Prints the broken condition and ends the process. A check states what only a bug of ours can
/// break; nothing that a peer sends may ever reach one.
[[noreturn]] void check_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace fanfare::base

#define FANFARE_CHECK(condition)      \
  ((condition) ? static_cast<void>(0) \
               : ::fanfare::base::check_failed(#condition, __FILE__, __LINE__))
