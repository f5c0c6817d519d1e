#include "server/cli/cli.hpp"

int main(int argc, char** argv) {
  return fanfare::server::cli::run(argc, argv);
}
