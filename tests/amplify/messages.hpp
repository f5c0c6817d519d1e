#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "amplify/script.hpp"

namespace fanfare::amplify {

/// One Bayeux message of a `send` step, as JSON. `index` counts the messages of the whole step; it
/// chooses among the kinds of `what`, and the names when they shift.
std::string make_message(const Step& step, std::size_t index, std::string_view client_id);

/// Which of the kinds of `what` that message is, and whether it asks to publish something.
std::string_view kind_of(const Step& step, std::size_t index);
bool is_publish(std::string_view kind);

/// The channel number `index`, spelled as the step's field `name` says: short, long (255 bytes in
/// 32 segments), patterns, everything, service or meta.
std::string make_channel(std::string_view spelling, std::size_t index);

}  // namespace fanfare::amplify
