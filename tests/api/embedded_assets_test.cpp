#include "api/embedded_assets.hpp"

#include <algorithm>
#include <set>
#include <string_view>

#include <gtest/gtest.h>

namespace fanfare::api {
namespace {

const EmbeddedFile* find(std::string_view prefix, std::string_view suffix) {
  const auto files = embedded_files();
  const auto found = std::ranges::find_if(files, [&](const EmbeddedFile& file) {
    return file.path.starts_with(prefix) && file.path.ends_with(suffix);
  });
  return found == files.end() ? nullptr : &*found;
}

TEST(EmbeddedAssetsTest, HoldFayesBrowserClientUnderANameWithItsVersion) {
  const EmbeddedFile* const client = find("bayeux/static/faye-browser-1.4.", "-min.js");
  ASSERT_NE(client, nullptr);
  EXPECT_TRUE(client->bytes.starts_with("var Faye="));
  EXPECT_GT(client->bytes.size(), 30'000U);
}

TEST(EmbeddedAssetsTest, HoldTheLicenceOfFayesClientNextToIt) {
  const EmbeddedFile* const license = find("bayeux/static/faye-browser-1.4.", "-license.txt");
  ASSERT_NE(license, nullptr);
  EXPECT_NE(license->bytes.find("Apache License, Version 2.0"), std::string_view::npos);
}

TEST(EmbeddedAssetsTest, HaveOneRelativePathEach) {
  std::set<std::string_view> paths;
  for (const EmbeddedFile& file : embedded_files()) {
    EXPECT_TRUE(paths.insert(file.path).second) << file.path;
    EXPECT_FALSE(file.path.starts_with('/')) << file.path;
    EXPECT_EQ(file.path.find(".."), std::string_view::npos) << file.path;
    EXPECT_FALSE(file.bytes.empty()) << file.path;
  }
}

}  // namespace
}  // namespace fanfare::api
