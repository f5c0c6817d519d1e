#pragma once

#include <cstdint>
#include <exception>
#include <set>
#include <string>

namespace fanfare::base {

/// What a test throws where the program says that it may throw.
class InjectedFault final : public std::exception {
 public:
  explicit InjectedFault(const char* where) : where_(where) {}
  [[nodiscard]] const char* what() const noexcept override { return where_; }

 private:
  const char* where_;
};

/// Throws on demand. Only in builds with FANFARE_FAULTS, which are for tests; from any thread.
namespace faults {

/// Counts the passes anew, and throws at the `k`th from now on, once; 0 throws nowhere.
void throw_at(std::uint64_t k) noexcept;
/// The same at the next pass of the place of that name.
void throw_at_place(const char* where) noexcept;
/// The same for a whole process: what the environment variable FANFARE_FAULT_AT says, if it does.
void throw_as_told_by_environment() noexcept;
/// Passes since the last throw_at().
[[nodiscard]] std::uint64_t passes() noexcept;
/// Where it has thrown since then, or null.
[[nodiscard]] const char* thrown_at() noexcept;
/// All places that have been passed since the start of the process.
[[nodiscard]] std::set<std::string> places();

void pass(const char* where);

}  // namespace faults
}  // namespace fanfare::base

/// A place that may throw: tests make each of them do it (tests/faults). `where` is
/// a literal that says what is being done. It stands where input is taken and work is begun, and
/// never inside a noexcept: what answers, sends, or lets go must not throw.
#ifdef FANFARE_FAULTS
#define FANFARE_MAY_THROW(where) ::fanfare::base::faults::pass(where)
#else
#define FANFARE_MAY_THROW(where) static_cast<void>(0)
#endif
