#include "server/cli/version.hpp"

#include <curl/curl.h>
#include <string>

#include <CLI/CLI.hpp>
#include <boost/version.hpp>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <simdjson.h>
#include <sqlite3.h>
#include <zlib.h>

#include "server/cli/commands.hpp"
#include "server/cli/console.hpp"

namespace fanfare::server::cli {
namespace {

constexpr const char* kHelp = R"help(Usage: fanfare version

Prints the version of fanfare, and on a second line those of the libraries it
runs with; both belong into a report of a fault.

Options:
  -h, --help      This text.
)help";

// As they are loaded now, where a library can tell; not as they were when fanfare was built.
std::string libraries() {
  return fmt::format("Boost {}.{}.{}, OpenSSL {}, SQLite {}, simdjson {}.{}.{}, zlib {}, curl {}",
                     BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100,
                     OpenSSL_version(OPENSSL_VERSION_STRING), sqlite3_libversion(),
                     static_cast<int>(simdjson::SIMDJSON_VERSION_MAJOR),
                     static_cast<int>(simdjson::SIMDJSON_VERSION_MINOR),
                     static_cast<int>(simdjson::SIMDJSON_VERSION_REVISION), zlibVersion(),
                     curl_version_info(CURLVERSION_NOW)->version);
}

int print_version() {
  return print(fmt::format("fanfare {}\n{}\n", kVersion, libraries())) ? 0 : 1;
}

}  // namespace

void add_version(CLI::App& program, Command& chosen) {
  auto* command = program.add_subcommand("version");
  command->formatter_fn([](const auto*, const auto&, auto) { return kHelp; });
  command->callback([&chosen] { chosen = print_version; });
}

}  // namespace fanfare::server::cli
