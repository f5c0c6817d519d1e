#include "server/cli/system_limits.hpp"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <optional>
#include <sys/resource.h>

#include <fmt/format.h>

namespace fanfare::server::cli {
namespace {

// Standard streams, the store, the log, listeners; and per worker its event loop.
constexpr std::uint64_t kOtherFiles = 64;
constexpr std::uint64_t kFilesPerWorker = 8;

// All browsers of a site come back in the same second after a restart. Above this, more is rarely
// given by a system, and the herd has retries.
constexpr std::uint64_t kBacklog = 4096;

std::uint64_t other_files(const Config& config) {
  return config.workers * kFilesPerWorker + kOtherFiles;
}

std::optional<std::uint64_t> open_files_max() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_max == RLIM_INFINITY) return {};
  return limit.rlim_max;
}

std::optional<std::uint64_t> accept_queue_max() {
  std::ifstream file("/proc/sys/net/core/somaxconn");  // elsewhere than on Linux: not there
  std::uint64_t count = 0;
  if (!(file >> count)) return {};
  return count;
}

}  // namespace

void raise_open_files_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  // May fail on macOS, whose hard limit can be "infinite"; then the soft one stays.
  static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
}

std::optional<std::size_t> connections_possible(const Config& config) {
  const std::uint64_t others = other_files(config);
  const auto given = open_files_max();
  if (!given || *given >= config.server_limits.connections_max + others) return std::nullopt;
  return *given > others ? *given - others : 1;
}

std::vector<std::string> system_warnings(const Config& config) {
  std::vector<std::string> warnings;
  const std::uint64_t connections = config.server_limits.connections_max;
  const std::uint64_t files = connections + other_files(config);
  if (const auto given = open_files_max(); given && *given < files) {
    warnings.push_back(fmt::format(
        "connections_max = {} needs {} open files, and the system allows {}; raise that "
        "(`ulimit -Hn`, or LimitNOFILE= in systemd) or lower connections_max",
        connections, files, *given));
  }
  const std::uint64_t queue = std::min(connections, kBacklog);
  if (const auto given = accept_queue_max(); given && *given < queue) {
    warnings.push_back(
        fmt::format("new connections queue up to net.core.somaxconn = {}, too few for {} that "
                    "come back at once after a restart; `sysctl net.core.somaxconn={}` raises it",
                    *given, connections, queue));
  }
  return warnings;
}

}  // namespace fanfare::server::cli
