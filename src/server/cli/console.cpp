#include "server/cli/console.hpp"

#include <cstdlib>
#include <unistd.h>

namespace fanfare::server::cli {

Paint Paint::for_stream(std::FILE* stream) {
  const char* const no_color = std::getenv("NO_COLOR");
  const bool is_refused = no_color != nullptr && *no_color != '\0';
  return Paint(!is_refused && ::isatty(::fileno(stream)) == 1);
}

std::string Paint::wrap(std::string_view code, std::string_view text) const {
  if (!has_colors_) return std::string(text);
  return std::string(code).append(text).append("\033[0m");
}

bool print(std::string_view text) {
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
         std::fflush(stdout) == 0;
}

void complain(std::string_view text) {
  const std::string line = std::string("fanfare: ").append(text).append("\n");
  // In one piece, so that lines of two threads or programs do not mix.
  std::fwrite(line.data(), 1, line.size(), stderr);
}

int fail(std::string_view text) {
  complain(text);
  return 1;
}

}  // namespace fanfare::server::cli
