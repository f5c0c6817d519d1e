#pragma once

#include <string_view>

namespace fanfare::server::cli {

/// The same as in the project() line of CMakeLists.txt.
inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace fanfare::server::cli
