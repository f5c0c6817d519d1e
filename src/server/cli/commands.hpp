#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace fanfare::server::cli {

/// What is to be done once the command line is read; returns the exit code.
using Command = std::function<int()>;

/// Each adds one command with its options and its help to `program`. When the command line names
/// it, `chosen` becomes what it does.
void add_serve(CLI::App& program, Command& chosen);
void add_publish(CLI::App& program, Command& chosen);
void add_subscribe(CLI::App& program, Command& chosen);
void add_bench(CLI::App& program, Command& chosen);
void add_realm(CLI::App& program, Command& chosen);
void add_check_config(CLI::App& program, Command& chosen);
void add_version(CLI::App& program, Command& chosen);

}  // namespace fanfare::server::cli
