#pragma once

#include <string>

#include "amplify/bounds.hpp"
#include "amplify/trial.hpp"

namespace fanfare::amplify {

/// One line: what it cost beside what it might have.
std::string figures(const Bounds& bounds, const Outcome& outcome);
/// A line for each bound that was exceeded.
std::string complaints(const Outcome& outcome);

}  // namespace fanfare::amplify
