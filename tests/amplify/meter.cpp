#include "amplify/meter.hpp"

#include <algorithm>
#include <thread>

namespace fanfare::amplify {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kQuietTime{250};
constexpr milliseconds kBetweenLooks{5};
// Far above every bound: the script has failed, and the machine shall not.
constexpr std::uint64_t kPeakBytesMax = 1'024ULL * 1'024 * 1'024;

}  // namespace

Meter::Meter(pid_t process) : process_(process) {
  const nanoseconds cpu_when_quiet = cpu_of_process(process_);
  std::this_thread::sleep_for(kQuietTime);
  cpu_before_ = cpu_now_ = cpu_of_process(process_);
  quiet_share_ = std::chrono::duration<double>(cpu_before_ - cpu_when_quiet) / kQuietTime;
  memory_before_ = resident_bytes(process_);
  reset_peak(process_);
  began_at_ = looked_at_ = Clock::now();
}

bool Meter::look() {
  if (Clock::now() - looked_at_ < kBetweenLooks) return true;
  looked_at_ = Clock::now();
  // A process that has died uses nothing more.
  cpu_now_ = std::max(cpu_now_, cpu_of_process(process_));
  peak_ = std::max(peak_, peak_bytes(process_));
  return peak_ < kPeakBytesMax;
}

nanoseconds Meter::cpu() const {
  const auto anyway =
      std::chrono::duration_cast<nanoseconds>((looked_at_ - began_at_) * quiet_share_);
  return std::max(nanoseconds(0), cpu_now_ - cpu_before_ - anyway);
}

std::uint64_t Meter::memory() const {
  return peak_ - std::min(peak_, memory_before_);
}

}  // namespace fanfare::amplify
