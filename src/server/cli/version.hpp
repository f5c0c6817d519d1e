#pragma once

#include <string_view>

namespace fanfare::server::cli {

/// What the project() line of CMakeLists.txt says.
inline constexpr std::string_view kVersion = FANFARE_VERSION;

}  // namespace fanfare::server::cli
