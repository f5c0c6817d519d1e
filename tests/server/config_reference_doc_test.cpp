#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "server/config.hpp"

namespace fanfare::server {
namespace {

/// What stands in the only block of TOML that the page marks as generated.
std::string reference_in_the_documentation() {
  std::ifstream file(FANFARE_SOURCE_DIR "/docs/configuration.md");
  const std::string page(std::istreambuf_iterator<char>(file), {});
  constexpr std::string_view kBegin = "<!-- tools/generate-docs writes this block -->\n```toml\n";
  const std::size_t begin = page.find(kBegin);
  if (begin == std::string::npos) return "(there is no generated block)";
  const std::size_t from = begin + kBegin.size();
  return page.substr(from, page.find("```\n", from) - from);
}

TEST(ConfigReferenceDocTest, IsWhatTheProgramPrints) {
  EXPECT_EQ(reference_in_the_documentation(), config_reference())
      << "run tools/generate-docs, which makes docs/configuration.md current";
}

TEST(ConfigReferenceDocTest, IsAFileThatTheProgramReadsWithoutAComplaint) {
  const auto reading = read_config_text(reference_in_the_documentation(), "fanfare.toml");
  EXPECT_TRUE(reading.mistakes.empty()) << testing::PrintToString(reading.mistakes);
}

}  // namespace
}  // namespace fanfare::server
