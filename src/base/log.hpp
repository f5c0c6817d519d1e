#pragma once

#include <string_view>

namespace fanfare::base::log {

enum class Level { debug, info, warning, error };

/// Writes one line to standard error: time, level, message. From any thread.
void write(Level level, std::string_view message);
/// Lines below `level` are dropped from now on. The default is `info`.
void set_level(Level level);
/// Whether such lines are written: for who would have to work for one.
bool is_shown(Level level);

inline void debug(std::string_view message) {
  write(Level::debug, message);
}
inline void info(std::string_view message) {
  write(Level::info, message);
}
inline void warning(std::string_view message) {
  write(Level::warning, message);
}
inline void error(std::string_view message) {
  write(Level::error, message);
}

}  // namespace fanfare::base::log
