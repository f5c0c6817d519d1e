#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <sys/types.h>
#include <vector>

namespace fanfare::amplify {

using std::chrono::nanoseconds;

// What Linux knows about a process (proc(5)). The CPU times are those of the scheduler: exact for a
// thread that sleeps, up to a tick (4 ms) behind for one that runs. After the end of the process
// all of it is 0.

std::vector<pid_t> threads_of(pid_t process);
nanoseconds cpu_of_thread(pid_t process, pid_t thread);
nanoseconds cpu_of_process(pid_t process);

std::uint64_t resident_bytes(pid_t process);
/// The most that was resident since the last reset.
std::uint64_t peak_bytes(pid_t process);
void reset_peak(pid_t process);

}  // namespace fanfare::amplify
