#pragma once

#include "amplify/trial.hpp"

namespace fanfare::amplify {

/// Whether the bounds can fail at all: scripts survive being written down, shrinking finds what
/// matters, an honest case passes, and each bound is exceeded when it is absurdly small or when the
/// server is killed. Takes seconds. Throws std::runtime_error with what does not hold.
void test_ourselves(const Stage& stage);

}  // namespace fanfare::amplify
