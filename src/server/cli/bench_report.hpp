#pragma once

#include <string>
#include <string_view>

#include "server/cli/bench_plan.hpp"
#include "server/cli/bench_run.hpp"

namespace fanfare::server::cli::bench {

/// For people: a few lines, and what they count.
std::string as_text(const Plan& plan, const Report& report);

/// For programs: one JSON object with the plan and the numbers.
std::string as_json(const Plan& plan, const Report& report);

/// One line that says how far a run is.
std::string progress_line(const Plan& plan, const Moment& moment);

std::string_view name_of(Protocol protocol);
std::string_view name_of(Transport transport);

}  // namespace fanfare::server::cli::bench
