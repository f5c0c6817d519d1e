#pragma once

#include <string>

#include "amplify/script.hpp"

namespace fanfare::amplify {

/// Plays the script against a server that somebody else measures, as often as it can, until SIGTERM
/// or SIGINT. `url` is http://127.0.0.1:PORT/r/REALM. What a script has before its first `settle`
/// is done once, the rest again and again. A script in which the site publishes cannot be played:
/// there is no key. Returns the exit status.
int attack(const std::string& url, const Script& script);

}  // namespace fanfare::amplify
