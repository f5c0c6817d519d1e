#include "server/cli/bench_process.hpp"

#include <fstream>
#include <sstream>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

#include <fmt/format.h>

namespace fanfare::server::cli::bench {
namespace {

std::optional<ProcessUse> use_of(int pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string line;
  if (!std::getline(file, line)) return {};
  // The name of the program, in brackets, may hold blanks and brackets of its own (proc(5)).
  const auto name_end = line.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream fields(line.substr(name_end + 1));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  double user_ticks = 0;
  double system_ticks = 0;
  fields >> user_ticks >> system_ticks;
  for (int field = 16; field < 24; ++field) fields >> skipped;
  std::uint64_t resident_pages = 0;
  if (!(fields >> resident_pages)) return {};
  return ProcessUse{(user_ticks + system_ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK)),
                    resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE))};
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

std::optional<ProcessUse> use_of(const std::vector<int>& pids) {
  ProcessUse sum;
  for (const int pid : pids) {
    const auto use = use_of(pid);
    if (!use) return {};
    sum.cpu_seconds += use->cpu_seconds;
    sum.resident_bytes += use->resident_bytes;
  }
  return sum;
}

double own_cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace fanfare::server::cli::bench
