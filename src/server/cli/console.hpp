#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace fanfare::server::cli {

/// Colours for a terminal; for a file or a pipe, or with NO_COLOR set (no-color.org), plain text.
class Paint {
 public:
  explicit Paint(bool has_colors) : has_colors_(has_colors) {}
  static Paint for_stream(std::FILE* stream);

  [[nodiscard]] std::string title(std::string_view text) const { return wrap("\033[1m", text); }
  [[nodiscard]] std::string value(std::string_view text) const { return wrap("\033[36m", text); }
  [[nodiscard]] std::string faint(std::string_view text) const { return wrap("\033[2m", text); }

 private:
  [[nodiscard]] std::string wrap(std::string_view code, std::string_view text) const;

  bool has_colors_;
};

/// To standard output, and out at once: others read it line by line through a pipe. False when
/// nobody reads any more.
bool print(std::string_view text);

/// One line to standard error: `fanfare: ...`.
void complain(std::string_view text);

/// Complains, and returns the exit code for that.
int fail(std::string_view text);

}  // namespace fanfare::server::cli
