#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "server/config.hpp"

namespace fanfare::server::cli {

/// Lets this process open as many files as its user may: each connection is one. Programs start
/// with a low limit (1024 on most systems) for the sake of select(), which we do not use.
void raise_open_files_limit();

/// How many connections the system gives out files for, if that is fewer than connections_max.
/// Beyond them, a visitor is not refused but left waiting.
std::optional<std::size_t> connections_possible(const Config& config);

/// Where the system gives less than the configuration counts on: sentences for the operator.
std::vector<std::string> system_warnings(const Config& config);

}  // namespace fanfare::server::cli
