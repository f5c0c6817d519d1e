#include "support/server_process.hpp"

#include <array>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <limits>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>

#include "base/base64.hpp"
#include "wire/jwt/jwt.hpp"

namespace fanfare {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::string_view kKey = "a key for nothing but these tests";
// A sanitised build on a busy machine; a good start takes a fraction of it.
constexpr milliseconds kStartTime{20'000};
constexpr milliseconds kStopTime{15'000};

std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

ServerProcess::ServerProcess(const std::string& binary, std::string_view config,
                             std::size_t workers) {
  std::string pattern = std::filesystem::temp_directory_path() / "fanfare-check-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a directory");
  directory_ = pattern;
  std::ofstream(directory_ / "check.toml") << config;
  start(binary, workers);
  port_ = wait_for_port();
}

ServerProcess::~ServerProcess() {
  if (is_running()) {
    ::kill(pid_, SIGKILL);
    wait(kStopTime);
  }
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void ServerProcess::start(const std::string& binary, std::size_t workers) {
  const std::string config = directory_ / "check.toml";
  const std::string data = directory_ / "data";
  const std::string worker_count = fmt::to_string(workers);
  const std::string out = directory_ / "stdout";
  const std::string err = directory_ / "stderr";
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("cannot start a process");
  if (pid_ > 0) return;
  const auto redirect = [](const std::string& path, int to) {
    ::dup2(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600), to);
  };
  redirect(out, STDOUT_FILENO);
  redirect(err, STDERR_FILENO);
  // Whatever happens to the checker, its server must not stay.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // Freed memory that the sanitizer keeps back would look like a leak of ours.
  ::setenv("ASAN_OPTIONS", "quarantine_size_mb=4", 0);
  ::setenv("TSAN_OPTIONS", "halt_on_error=1 second_deadlock_stack=1", 0);
  ::execl(binary.c_str(), binary.c_str(), "serve", "--config", config.c_str(), "--listen",
          "127.0.0.1:0", "--data", data.c_str(), "--workers", worker_count.c_str(), nullptr);
  ::_exit(127);
}

std::uint16_t ServerProcess::wait_for_port() {
  constexpr std::string_view kBefore = "http://127.0.0.1:";
  const auto deadline = steady_clock::now() + kStartTime;
  while (is_running() && steady_clock::now() < deadline) {
    const std::string said = contents(directory_ / "stdout");
    const std::size_t at = said.find(kBefore);
    // Not before the line is complete.
    if (at != std::string::npos && said.find('\n', at) != std::string::npos) {
      return static_cast<std::uint16_t>(std::stoul(said.substr(at + kBefore.size(), 5)));
    }
    std::this_thread::sleep_for(milliseconds(10));
  }
  throw std::runtime_error("the server does not start:\n" + complaints());
}

std::string ServerProcess::key() {
  return base::encode_base64(kKey);
}

std::string ServerProcess::token(std::string_view realm) {
  return wire::jwt::sign_hs256(realm, std::numeric_limits<std::int32_t>::max(), kKey);
}

bool ServerProcess::is_running() {
  return pid_ > 0 && !wait(milliseconds(0));
}

bool ServerProcess::wait(milliseconds at_most) {
  if (pid_ <= 0) return true;
  const auto deadline = steady_clock::now() + at_most;
  for (;;) {
    if (::waitpid(pid_, &status_, WNOHANG) == pid_) {
      pid_ = -1;
      return true;
    }
    if (steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(milliseconds(5));
  }
}

std::size_t ServerProcess::resident_bytes() const {
  std::ifstream file(fmt::format("/proc/{}/statm", pid_));
  std::size_t all = 0;
  std::size_t resident = 0;
  file >> all >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

std::size_t ServerProcess::descriptor_count() const {
  const std::filesystem::directory_iterator all(fmt::format("/proc/{}/fd", pid_));
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

std::string ServerProcess::complaints() const {
  return contents(directory_ / "stderr");
}

std::string ServerProcess::stop() {
  if (!is_running()) return "the server has died";
  ::kill(pid_, SIGTERM);
  if (!wait(kStopTime)) return "the server does not end";
  if (!WIFEXITED(status_) || WEXITSTATUS(status_) != 0) {
    return fmt::format("the server ended badly (status {:#x})", status_);
  }
  return {};
}

}  // namespace fanfare
