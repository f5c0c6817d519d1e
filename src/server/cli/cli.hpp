#pragma once

namespace fanfare::server::cli {

/// Runs the command that the command line names. Returns the exit code: 0 for done, 1 for refused
/// or failed, 2 for a command line that is not understood.
int run(int argc, char** argv);

}  // namespace fanfare::server::cli
