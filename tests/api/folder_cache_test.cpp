#include "api/folder_cache.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fanfare::api {
namespace {

using testing::ElementsAre;

class FolderCacheTest : public ::testing::Test {
 protected:
  FolderCacheTest() { std::filesystem::create_directories(folder_); }
  ~FolderCacheTest() override { std::filesystem::remove_all(folder_); }

  void write(std::string_view name, std::string_view bytes) {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
  }
  static std::string bytes_of(const FolderCache::Known& known) {
    return known.file ? known.file->bytes : "none";
  }
  std::vector<std::string> listed(FolderCache& cache) {
    std::vector<std::string> lines;
    for (const auto& file : cache.list([](std::string_view name) { return name.front() != '.'; }))
      lines.push_back(file.name + " " + file.integrity.substr(0, 12) + " " +
                      std::to_string(file.bytes));
    std::ranges::sort(lines);
    return lines;
  }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() /
      ("fanfare-cache-" + std::to_string(::getpid()) + "-" +
       ::testing::UnitTest::GetInstance()->current_test_info()->name());
  base::ManualClock clock_;
};

TEST_F(FolderCacheTest, KnowsNothingBeforeItHasLookedAndThenAlsoWhatIsNotThere) {
  FolderCache cache(folder_.string(), clock_);
  write("a", "bytes");
  EXPECT_FALSE(cache.known("a").is_known);
  for (const auto* name : {"a", "b"}) cache.look(name);
  EXPECT_EQ(bytes_of(cache.known("a")), "bytes");
  EXPECT_TRUE(cache.known("b").is_known);
  EXPECT_EQ(bytes_of(cache.known("b")), "none");
}

TEST_F(FolderCacheTest, AsksOneOfManyToLookAgain) {
  FolderCache cache(folder_.string(), clock_);
  cache.look("a");
  EXPECT_FALSE(cache.known("a").is_due);
  clock_.advance(FolderCache::kLookInterval);
  EXPECT_TRUE(cache.known("a").is_due);
  EXPECT_FALSE(cache.known("a").is_due);
}

TEST_F(FolderCacheTest, WithoutAFolderAllIsKnown) {
  FolderCache cache("", clock_);
  EXPECT_TRUE(cache.known("a").is_known);
  cache.look("a");
  EXPECT_TRUE(listed(cache).empty());
}

TEST_F(FolderCacheTest, ForgetsTheBytesThatWereNotAskedForLongest) {
  FolderCache cache(folder_.string(), clock_, 25);
  for (const auto* name : {"a", "b", "c"}) write(name, std::string(10, *name));
  cache.look("a");
  cache.look("b");
  static_cast<void>(cache.known("a"));
  cache.look("c");
  EXPECT_EQ(cache.bytes(), 20U);
  EXPECT_EQ(bytes_of(cache.known("a")), "aaaaaaaaaa");
  EXPECT_FALSE(cache.known("b").is_known);
  cache.look("b");
  EXPECT_EQ(bytes_of(cache.known("b")), "bbbbbbbbbb");
  EXPECT_EQ(cache.bytes(), 20U);
}

TEST_F(FolderCacheTest, CountsOnlyWhatItHas) {
  FolderCache cache(folder_.string(), clock_);
  write("a", "four");
  cache.look("a");
  write("a", "sixsix");
  cache.look("a");
  EXPECT_EQ(cache.bytes(), 6U);
  std::filesystem::remove(folder_ / "a");
  cache.look("a");
  EXPECT_EQ(cache.bytes(), 0U);
}

TEST_F(FolderCacheTest, ServesAFileThatIsLargerThanAllThatItKeeps) {
  FolderCache cache(folder_.string(), clock_, 5);
  write("a", "0123456789");
  cache.look("a");
  EXPECT_EQ(bytes_of(cache.known("a")), "0123456789");
}

TEST_F(FolderCacheTest, RemembersOnlySoManyNames) {
  FolderCache cache(folder_.string(), clock_, 100, 3);
  write("a", "bytes");
  cache.look("a");
  for (const auto* name : {"b", "c", "d"}) cache.look(name);
  EXPECT_FALSE(cache.known("a").is_known);
  for (const auto* name : {"b", "c", "d"}) EXPECT_TRUE(cache.known(name).is_known) << name;
  EXPECT_EQ(cache.bytes(), 0U);
}

TEST_F(FolderCacheTest, ListsWhatIsThereWithoutKeepingItsBytes) {
  FolderCache cache(folder_.string(), clock_);
  write("a", "one");
  write("b", "three");
  write(".hidden", "x");
  std::filesystem::create_directory(folder_ / "folder");
  const std::string a = "a " + integrity_of("one").substr(0, 12) + " 3";
  EXPECT_THAT(listed(cache), ElementsAre(a, "b " + integrity_of("three").substr(0, 12) + " 5"));
  EXPECT_EQ(cache.bytes(), 0U);
  cache.look("a");
  EXPECT_EQ(bytes_of(cache.known("a")), "one");
  write("b", "four");
  EXPECT_THAT(listed(cache), ElementsAre(a, "b " + integrity_of("four").substr(0, 12) + " 4"));
  EXPECT_EQ(cache.bytes(), 3U);
}

TEST_F(FolderCacheTest, WarnsOfALargeFileAtMostOnceAMinute) {
  FolderCache cache(folder_.string(), clock_);
  write("large", std::string(FolderCache::kFileBytesMax + 1, 'x'));
  const auto said = [&] {
    testing::internal::CaptureStderr();
    for (int i = 0; i < 3; ++i) cache.look("large");
    const std::string text = testing::internal::GetCapturedStderr();
    return std::ranges::count(text, '\n');
  };
  EXPECT_EQ(said(), 1);
  clock_.advance(FolderCache::kWarningInterval - base::Duration(1));
  EXPECT_EQ(said(), 0);
  clock_.advance(base::Duration(1));
  EXPECT_EQ(said(), 1);
}

}  // namespace
}  // namespace fanfare::api
