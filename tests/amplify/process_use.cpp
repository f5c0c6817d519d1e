#include "amplify/process_use.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include <fmt/format.h>

namespace fanfare::amplify {
namespace {

/// A line of /proc/PID/status, in bytes.
std::uint64_t status_bytes(pid_t process, const std::string& name) {
  std::ifstream file(fmt::format("/proc/{}/status", process));
  for (std::string word; file >> word;) {
    std::uint64_t kilobytes = 0;
    if (word == name + ':' && file >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

}  // namespace

std::vector<pid_t> threads_of(pid_t process) {
  std::vector<pid_t> threads;
  std::error_code failure;
  for (const auto& entry :
       std::filesystem::directory_iterator(fmt::format("/proc/{}/task", process), failure)) {
    threads.push_back(static_cast<pid_t>(std::stol(entry.path().filename())));
  }
  return threads;
}

nanoseconds cpu_of_thread(pid_t process, pid_t thread) {
  std::ifstream file(fmt::format("/proc/{}/task/{}/schedstat", process, thread));
  std::int64_t used = 0;
  file >> used;
  return nanoseconds(used);
}

nanoseconds cpu_of_process(pid_t process) {
  nanoseconds used{0};
  for (const pid_t thread : threads_of(process)) used += cpu_of_thread(process, thread);
  return used;
}

std::uint64_t resident_bytes(pid_t process) {
  return status_bytes(process, "VmRSS");
}

std::uint64_t peak_bytes(pid_t process) {
  return status_bytes(process, "VmHWM");
}

void reset_peak(pid_t process) {
  std::ofstream(fmt::format("/proc/{}/clear_refs", process)) << 5;
}

}  // namespace fanfare::amplify
