#pragma once

#include <cstdint>

#include "amplify/script.hpp"

namespace fanfare::amplify {

/// A script of a few steps, out of everything that a script can say; the same for the same seed. It
/// sends a few MB at most and is played in about a second, on a server that stands it.
Script generate(std::uint64_t seed);

}  // namespace fanfare::amplify
