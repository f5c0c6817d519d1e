#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace fanfare::server::cli::bench {

/// What the server under test has used so far.
struct ProcessUse {
  double cpu_seconds = 0;  ///< in user code and in the kernel on its behalf
  std::uint64_t resident_bytes = 0;
};

/// The sum over `pids`, from /proc; nothing when one of them cannot be read (it has ended, or this
/// is not Linux). CPU time comes in ticks of 10 ms.
std::optional<ProcessUse> use_of(const std::vector<int>& pids);

/// CPU seconds of this process: whether the driver itself was the bottleneck.
double own_cpu_seconds();

}  // namespace fanfare::server::cli::bench
