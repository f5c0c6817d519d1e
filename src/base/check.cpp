#include "base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace fanfare::base {

void check_failed(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr, "fanfare: bug: %s does not hold (%s:%d)\n", condition, file, line);
  std::abort();
}

}  // namespace fanfare::base
