#include "api/file_reader.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace fanfare::api {
namespace {

class FileReaderTest : public ::testing::Test {
 protected:
  FileReaderTest() { std::filesystem::create_directories(folder_); }
  ~FileReaderTest() override { std::filesystem::remove_all(folder_); }

  std::string write(std::string_view name, std::string_view bytes) {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return path(name);
  }
  [[nodiscard]] std::string path(std::string_view name) const { return (folder_ / name).string(); }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() /
      ("fanfare-reader-" + std::to_string(::getpid()) + "-" +
       ::testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(FileReaderTest, ReadsAFileAndAgainOnlyWhenItHasChanged) {
  const std::string bytes("a\0\r\n\xff", 5);
  const auto first = look_at_file(write("a", bytes), 5, {});
  ASSERT_EQ(first.state, FileLook::read);
  EXPECT_EQ(first.bytes, bytes);
  const auto second = look_at_file(path("a"), 5, first.identity);
  EXPECT_EQ(second.state, FileLook::unchanged);
  EXPECT_EQ(second.bytes, "");
  const auto third = look_at_file(write("a", "four"), 5, first.identity);
  EXPECT_EQ(third.state, FileLook::read);
  EXPECT_EQ(third.bytes, "four");
}

TEST_F(FileReaderTest, RefusesAFileThatIsTooLarge) {
  EXPECT_EQ(look_at_file(write("a", "12345"), 5, {}).state, FileLook::read);
  EXPECT_EQ(look_at_file(write("a", "123456"), 5, {}).state, FileLook::too_large);
}

// The kernel's own files say that they are empty, and grow under the reader's hands.
TEST_F(FileReaderTest, LooksAtTheSizeWhileItReadsToo) {
  if (!std::filesystem::exists("/proc/self/status")) GTEST_SKIP() << "there is no /proc";
  EXPECT_EQ(look_at_file("/proc/self/status", 100, {}).state, FileLook::too_large);
  EXPECT_EQ(look_at_file("/proc/self/status", 1'000'000, {}).state, FileLook::read);
}

TEST_F(FileReaderTest, NeitherWaitsForNorServesWhatIsNoRegularFile) {
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  std::filesystem::create_directory(path("folder"));
  std::filesystem::create_symlink("loop", path("loop"));
  std::filesystem::create_symlink("fifo", path("to-fifo"));
  for (const auto* name : {"fifo", "to-fifo", "folder", "loop", "nothing"}) {
    EXPECT_EQ(look_at_file(path(name), 100, {}).state, FileLook::absent) << name;
  }
  EXPECT_EQ(look_at_file("/dev/zero", 100, {}).state, FileLook::absent);
}

TEST_F(FileReaderTest, FollowsALinkToAFile) {
  write("real", "bytes");
  std::filesystem::create_symlink("real", path("link"));
  EXPECT_EQ(look_at_file(path("link"), 100, {}).bytes, "bytes");
}

TEST_F(FileReaderTest, ServesNoFileThatItMayNotRead) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
  ::chmod(write("secret", "bytes").c_str(), 0);
  EXPECT_EQ(look_at_file(path("secret"), 100, {}).state, FileLook::absent);
}

}  // namespace
}  // namespace fanfare::api
