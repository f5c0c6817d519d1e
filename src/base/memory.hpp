#pragma once

namespace fanfare::base {

/// What the process ends with when there is no memory left: EX_OSERR of sysexits.h, so that a
/// supervisor can tell it from a mistake of ours (SIGABRT) and from a refusal to start (1).
inline constexpr int kOutOfMemoryStatus = 71;

/// From now on, running out of memory ends the process, openly and at once: a worker in which one
/// list was half changed and one answer never written is worse than a restart. So whatever can
/// fail only for want of memory may call itself noexcept. The first thing that main() does.
///
/// It also gives what passes where nothing may be thrown its words, before the process aborts.
void end_when_out_of_memory() noexcept;

/// Says so on standard error, without allocating, and ends the process.
[[noreturn]] void out_of_memory() noexcept;

}  // namespace fanfare::base
