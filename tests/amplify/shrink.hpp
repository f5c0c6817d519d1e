#pragma once

#include <cstddef>
#include <functional>

#include "amplify/script.hpp"

namespace fanfare::amplify {

/// The smallest script, of those that can be had from this one by leaving out steps and fields and
/// by making numbers smaller, that `still_fails`; asks at most `tries` times.
Script shrink(Script script, const std::function<bool(const Script&)>& still_fails,
              std::size_t tries);

}  // namespace fanfare::amplify
