#include "base/memory.hpp"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <string_view>
#include <unistd.h>

namespace fanfare::base {
namespace {

/// Not every allocator asks the handler of `new`: Asio and zlib have their own, and what fails
/// there comes as std::bad_alloc, which then meets a noexcept.
[[noreturn]] void on_terminate() noexcept {
  try {
    if (const auto thrown = std::current_exception()) std::rethrow_exception(thrown);
  } catch (const std::bad_alloc&) {
    out_of_memory();
  } catch (const std::exception& thrown) {
    std::fprintf(stderr, "fanfare: bug: thrown where nothing may be thrown: %s\n", thrown.what());
  } catch (...) {
    std::fputs("fanfare: bug: thrown where nothing may be thrown\n", stderr);
  }
  std::abort();
}

}  // namespace

void end_when_out_of_memory() noexcept {
  std::set_new_handler([] { out_of_memory(); });
  std::set_terminate(on_terminate);
}

void out_of_memory() noexcept {
  constexpr std::string_view kText =
      "fanfare: out of memory; ending at once, because half of a worker is worse than a restart. "
      "[limits] memory_max bounds what it takes\n";
  // Nobody is left who could be told that this failed.
  [[maybe_unused]] const ssize_t ignored = ::write(STDERR_FILENO, kText.data(), kText.size());
  std::_Exit(kOutOfMemoryStatus);
}

}  // namespace fanfare::base
