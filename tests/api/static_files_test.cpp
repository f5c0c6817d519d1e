#include "api/static_files.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/api_requests.hpp"
#include "wire/json/json.hpp"

namespace fanfare::api {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class StaticFilesTest : public ::testing::Test {
 protected:
  StaticFilesTest() { std::filesystem::create_directories(folder_ / "below"); }
  ~StaticFilesTest() override { std::filesystem::remove_all(folder_); }

  void write(std::string_view name, std::string_view bytes) {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
  }
  wire::http1::Response get(std::string_view name, std::string_view headers = "") {
    return files_.handle(request("GET", "/", "", headers), name);
  }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() /
      ("fanfare-static-" + std::to_string(::getpid()) + "-" +
       ::testing::UnitTest::GetInstance()->current_test_info()->name());
  const std::string library_ = StaticFiles::browser_library().name;
  StaticFiles files_{folder_.string()};
};

TEST_F(StaticFilesTest, ServesTheLibraryToPagesOfEveryOrigin) {
  const auto response = get(library_);
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, StartsWith("var Faye="));
  EXPECT_EQ(header_of(response, "Content-Type"), "text/javascript; charset=utf-8");
  EXPECT_EQ(header_of(response, "Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(header_of(response, "Cross-Origin-Resource-Policy"), "cross-origin");
  EXPECT_EQ(header_of(response, "Cache-Control"), "public, max-age=31536000, immutable");
}

TEST_F(StaticFilesTest, OldNamesLeadToTheLibraryAndAreNotPinned) {
  for (const auto* name : {"faye-browser-min.js", "faye-browser.js", "client.js"}) {
    const auto response = get(name);
    EXPECT_EQ(response.body, get(library_).body) << name;
    EXPECT_THAT(header_of(response, "Cache-Control"), Not(HasSubstr("immutable")));
  }
}

TEST_F(StaticFilesTest, ServesWhatTheOperatorPutsThereByteForByte) {
  const std::string bytes("a\0\r\n\xff", 5);
  write("mine.js", bytes);
  EXPECT_EQ(get("mine.js").body, bytes);
  write("mine.js", "newer and longer");
  EXPECT_EQ(get("mine.js").body, "newer and longer");
  std::filesystem::remove(folder_ / "mine.js");
  EXPECT_EQ(get("mine.js").status, 404);
}

TEST_F(StaticFilesTest, TheOperatorsFileGoesFirstWhileItIsThere) {
  write(library_, "instead");
  EXPECT_EQ(get(library_).body, "instead");
  EXPECT_EQ(get("client.js").body, "instead");
  std::filesystem::remove(folder_ / library_);
  EXPECT_THAT(get(library_).body, StartsWith("var Faye="));
}

TEST_F(StaticFilesTest, ServesNothingButPlainFilesOfThatOneFolder) {
  write("below/secret.txt", "secret");
  write(".hidden", "secret");
  write("sp ace", "secret");
  for (const auto* name : {"", ".", "..", "../x", "below", "below/secret.txt", ".hidden", "sp ace",
                           "/etc/passwd", "..%2fx", "a\\b", "nothing.js"}) {
    EXPECT_EQ(get(name).status, 404) << name;
  }
  EXPECT_EQ(get(std::string("mine.js\0x", 9)).status, 404);
  EXPECT_EQ(get(std::string(129, 'a')).status, 404);
}

TEST_F(StaticFilesTest, AnswersNotModifiedToWhoHasTheFile) {
  const std::string tag = header_of(get(library_), "ETag");
  EXPECT_EQ(tag.front(), '"');
  const std::string bare = tag.substr(1, tag.size() - 2);
  for (const std::string& known : {tag, "W/" + tag, bare, "\"other\", " + tag, std::string("*")}) {
    const auto response = get(library_, "If-None-Match: " + known + "\r\n");
    EXPECT_EQ(response.status, 304) << known;
    EXPECT_EQ(response.body, "");
    EXPECT_EQ(header_of(response, "ETag"), tag);
  }
  EXPECT_EQ(get(library_, "If-None-Match: \"other\"\r\n").status, 200);
}

TEST_F(StaticFilesTest, ATagIsTheFiles) {
  write("a.js", "one");
  const std::string tag = header_of(get("a.js"), "ETag");
  write("a.js", "three");
  EXPECT_NE(header_of(get("a.js"), "ETag"), tag);
}

TEST_F(StaticFilesTest, ListsWhatIsThereWithWhatPagesPin) {
  write("mine.js", "alert(1)");
  write(".hidden", "x");
  const auto response = get("integrity.json");
  const auto parsed = wire::json::validate(response.body);
  ASSERT_TRUE(parsed);
  EXPECT_THAT(response.body, HasSubstr(StaticFiles::browser_library().integrity));
  EXPECT_THAT(response.body, HasSubstr(R"({"name":"mine.js","integrity":"sha384-)"));
  EXPECT_THAT(response.body, Not(HasSubstr("hidden")));
  EXPECT_EQ(header_of(response, "Access-Control-Allow-Origin"), "*");
}

TEST_F(StaticFilesTest, WorksWithoutAFolderAndWithOneThatIsNotThere) {
  for (const auto* folder : {"", "/nonexistent"}) {
    StaticFiles files(folder);
    EXPECT_EQ(files.handle(request("GET", "/"), library_).status, 200);
    EXPECT_EQ(files.handle(request("GET", "/"), "mine.js").status, 404);
    EXPECT_EQ(files.handle(request("GET", "/"), "integrity.json").status, 200);
  }
}

TEST_F(StaticFilesTest, TakesGetAndHeadOnly) {
  EXPECT_EQ(files_.handle(request("HEAD", "/"), library_).status, 200);
  EXPECT_EQ(files_.handle(request("POST", "/"), library_).status, 200);  // as Faye's server does
}

}  // namespace
}  // namespace fanfare::api
