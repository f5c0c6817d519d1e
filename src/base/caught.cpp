#include "base/caught.hpp"

#include <atomic>
#include <chrono>
#include <exception>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/log.hpp"
#include "base/memory.hpp"
#include "base/mutex.hpp"

namespace fanfare::base {
namespace {

constexpr std::chrono::minutes kBetweenLines{1};

std::atomic<std::uint64_t> count_of_all = 0;

/// Whether a line may be written now, and how many were left out since the last.
class Rarely {
 public:
  std::optional<std::uint64_t> ask() {
    const auto now = std::chrono::steady_clock::now();
    const MutexLock lock(mutex_);
    if (last_ && now < *last_ + kBetweenLines) {
      ++left_out_;
      return std::nullopt;
    }
    last_ = now;
    return std::exchange(left_out_, 0);
  }

 private:
  Mutex mutex_;
  std::optional<std::chrono::steady_clock::time_point> last_ FANFARE_GUARDED_BY(mutex_);
  std::uint64_t left_out_ FANFARE_GUARDED_BY(mutex_) = 0;
};

std::string words_of_what_was_caught() {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    out_of_memory();
  } catch (const std::exception& thrown) {
    return thrown.what();
  } catch (...) {
    return "something that has no words";
  }
}

}  // namespace

void report_caught(std::string_view what) noexcept {
  count_of_all.fetch_add(1, std::memory_order_relaxed);
  const std::string words = words_of_what_was_caught();
  static Rarely rarely;
  const auto left_out = rarely.ask();
  if (!left_out) return;
  std::string line = fmt::format("{} failed and was ended, the others go on: {}", what, words);
  if (*left_out > 0) line += fmt::format(" ({} more since the last such line)", *left_out);
  log::error(line);
}

std::uint64_t caught_count() noexcept {
  return count_of_all.load(std::memory_order_relaxed);
}

}  // namespace fanfare::base
