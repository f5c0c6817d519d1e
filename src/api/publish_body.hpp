#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "core/realm.hpp"
#include "core/sequencer.hpp"
#include "wire/json/json.hpp"

namespace fanfare::api {

/// Reads the body of a publish request, `{"items":[…]}`, in every shape that Fanout's libraries
/// send (spec/fanout section 3.2). `path_channel` is the channel of the older form, in which it
/// stands in the path and not in the items.
///
/// All items or none: the error names the first item that is wrong, its field, and what to change.
base::Result<std::vector<core::PublishItem>> read_publish_body(
    std::string_view body, const std::optional<std::string>& path_channel, const core::Realm& realm,
    wire::json::Parser& parser);

}  // namespace fanfare::api
