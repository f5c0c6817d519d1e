#pragma once

#include <string>
#include <string_view>

#include "server/config.hpp"

namespace fanfare::server {

/// Reads a configuration file's text into `reading.config`, and adds what is wrong with it to
/// `reading.mistakes`, in the order of the lines. `name` stands in front of them. Of what `flags`
/// will replace, what leans on something else is not checked here.
void read_config_file(std::string_view toml, const std::string& name, const ConfigFlags& flags,
                      ConfigReading& reading);

}  // namespace fanfare::server
