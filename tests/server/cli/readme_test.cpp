#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/cli/snippets.hpp"
#include "server/server.hpp"

namespace fanfare::server::cli {
namespace {

using testing::HasSubstr;

const std::filesystem::path kRoot(FANFARE_SOURCE_DIR);

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::filesystem::path> pages() {
  std::vector<std::filesystem::path> pages{kRoot / "README.md", kRoot / "CONTRIBUTING.md"};
  for (const auto& entry : std::filesystem::directory_iterator(kRoot / "docs")) {
    if (entry.path().extension() == ".md") pages.push_back(entry.path());
  }
  return pages;
}

/// The snippets as they are printed, for the realm and the key that the README writes.
std::vector<std::string> printed_snippets() {
  core::Realm realm;
  realm.id = core::RealmId("8c561903");
  realm.keys = {{"", "YOUR-KEY"}};
  const auto [file, integrity] = Server::browser_library();
  const std::string text =
      snippets_text({realm, "http://127.0.0.1:8400", file, integrity}, Paint(false));
  const auto html = text.find("<script src=");
  const auto python = text.find("from base64");
  const auto curl = text.find("curl http");
  const auto between = [&text](std::size_t begin, std::string_view end) {
    return text.substr(begin, text.find(end, begin) - begin);
  };
  return {between(html, "\n\nOn the server"), between(python, "\n\nOr from"),
          between(curl, "\n\n")};
}

TEST(ReadmeTest, ShowsTheSnippetsAsTheProgramPrintsThem) {
  const std::string readme = read(kRoot / "README.md");
  for (const std::string& snippet : printed_snippets()) EXPECT_THAT(readme, HasSubstr(snippet));
}

TEST(ReadmeTest, AndThePagesBesideItLinkOnlyToWhatIsThere) {
  const std::regex link(R"(\]\(([^)#:\s]+)(#[^)]*)?\))");
  for (const auto& page : pages()) {
    const std::string text = read(page);
    EXPECT_FALSE(text.empty()) << page;
    for (std::sregex_iterator at(text.begin(), text.end(), link), end; at != end; ++at) {
      const auto target = page.parent_path() / (*at)[1].str();
      EXPECT_TRUE(std::filesystem::exists(target)) << page << " links to " << (*at)[1];
    }
  }
}

}  // namespace
}  // namespace fanfare::server::cli
