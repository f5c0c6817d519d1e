#include "base/fault.hpp"

#include <atomic>
#include <cstdlib>
#include <string_view>

#include "base/mutex.hpp"

namespace fanfare::base::faults {
namespace {

std::atomic<std::uint64_t> passed = 0;
std::atomic<std::uint64_t> target = 0;
std::atomic<const char*> target_place = nullptr;
std::atomic<const char*> hit = nullptr;

struct Places {
  Mutex mutex;
  std::set<std::string> seen FANFARE_GUARDED_BY(mutex);
};

Places& all_places() {
  static Places places;
  return places;
}

void reset() noexcept {
  target = 0;  // first, so that nothing is thrown while the count is being set
  target_place = nullptr;
  hit = nullptr;
  passed = 0;
}

}  // namespace

void throw_at(std::uint64_t k) noexcept {
  reset();
  target = k;
}

void throw_at_place(const char* where) noexcept {
  reset();
  target_place = where;
}

void throw_as_told_by_environment() noexcept {
  if (const char* const told = std::getenv("FANFARE_FAULT_AT")) {
    throw_at(std::strtoull(told, nullptr, 10));
  }
}

std::uint64_t passes() noexcept {
  return passed;
}

const char* thrown_at() noexcept {
  return hit;
}

std::set<std::string> places() {
  Places& all = all_places();
  const MutexLock lock(all.mutex);
  return all.seen;
}

void pass(const char* where) {
  {
    Places& all = all_places();
    const MutexLock lock(all.mutex);
    all.seen.insert(where);
  }
  const bool is_the_pass = ++passed == target;
  const char* const place = target_place;
  const bool is_the_place = place != nullptr && std::string_view(place) == where;
  if (!is_the_pass && !is_the_place) return;
  target_place = nullptr;
  hit = where;
  throw InjectedFault(where);
}

}  // namespace fanfare::base::faults
