#include "store/store.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

namespace fanfare::store {
namespace {

namespace fs = std::filesystem;
using base::Errc;
using core::Realm;
using testing::AllOf;
using testing::HasSubstr;

class StoreTest : public testing::Test {
 protected:
  StoreTest() {
    std::string name = (fs::temp_directory_path() / "fanfare-store-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
    data_dir_ = root_ / "data";
  }
  ~StoreTest() override {
    ::umask(umask_);
    fs::remove_all(root_);
  }

  static mode_t mode_of(const fs::path& path) {
    struct stat status {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777U;
  }

  std::unique_ptr<core::RealmStore> opened() {
    auto store = open(data_dir_);
    EXPECT_TRUE(store) << store.error().detail;
    return std::move(store).value();
  }

  std::string error_of_open() {
    const auto store = open(data_dir_);
    return store ? "" : store.error().detail;
  }

  // Runs SQL on the database as another program would.
  class Stranger {
   public:
    explicit Stranger(const fs::path& file) { sqlite3_open(file.c_str(), &database_); }
    ~Stranger() { sqlite3_close(database_); }
    Stranger(const Stranger&) = delete;
    Stranger& operator=(const Stranger&) = delete;
    void run(const char* sql) {
      EXPECT_EQ(sqlite3_exec(database_, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sql;
    }

   private:
    sqlite3* database_ = nullptr;
  };

  [[nodiscard]] fs::path file() const { return data_dir_ / "fanfare.db"; }

  fs::path root_;
  fs::path data_dir_;
  mode_t umask_ = ::umask(022);
};

Realm realm_named(const std::string& id, std::initializer_list<const char*> keys) {
  Realm realm;
  realm.id = core::RealmId(id);
  for (const auto* key : keys) realm.keys.push_back(*core::parse_realm_key(key));
  return realm;
}

TEST_F(StoreTest, StartsWithoutRealms) {
  auto store = open(data_dir_);
  ASSERT_TRUE(store) << store.error().detail;
  EXPECT_TRUE((*store)->load()->empty());
}

TEST_F(StoreTest, KeepsRealmsAndTheirKeysFromOneStartToTheNextInTheirOrder) {
  {
    auto store = opened();
    ASSERT_TRUE(store->add(realm_named("zebra", {"enpiZWJyYQ=="})));
    ASSERT_TRUE(store->add(realm_named("ant", {"c2Vjb25k", "Zmlyc3Q="})));
  }
  const auto realms = opened()->load();
  ASSERT_TRUE(realms);
  ASSERT_EQ(realms->size(), 2U);
  EXPECT_EQ((*realms)[0].id.value(), "zebra");
  EXPECT_EQ((*realms)[1].id.value(), "ant");
  ASSERT_EQ((*realms)[1].keys.size(), 2U);
  EXPECT_EQ((*realms)[1].keys[0].bytes, "second");
  EXPECT_EQ((*realms)[1].keys[1].bytes, "first");
  EXPECT_EQ((*realms)[1].keys[1].text, "Zmlyc3Q=");
}

TEST_F(StoreTest, RefusesASecondRealmOfTheSameIdAndKeepsTheFirst) {
  auto store = opened();
  ASSERT_TRUE(store->add(realm_named("mine", {"Zmlyc3Q="})));
  const auto second = store->add(realm_named("mine", {"c2Vjb25k"}));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::conflict);
  EXPECT_THAT(second.error().detail, HasSubstr("mine"));
  const auto realms = *store->load();
  ASSERT_EQ(realms.size(), 1U);
  ASSERT_EQ(realms[0].keys.size(), 1U);
  EXPECT_EQ(realms[0].keys[0].bytes, "first");
}

TEST_F(StoreTest, MayBeOpenInTwoProgramsAtOnce) {
  auto first = opened();
  auto second = opened();
  ASSERT_TRUE(first->add(realm_named("mine", {"Zmlyc3Q="})));
  EXPECT_EQ(second->load()->size(), 1U);
}

TEST_F(StoreTest, ExistsOnceItWasOpened) {
  EXPECT_FALSE(exists_in(data_dir_));
  ASSERT_TRUE(open(data_dir_));
  EXPECT_TRUE(exists_in(data_dir_));
}

TEST_F(StoreTest, IsReadableByItsOwnerOnlyWhateverTheUmaskSays) {
  for (const mode_t mask : {0U, 022U, 0777U}) {
    data_dir_ = root_ / ("data" + std::to_string(mask)) / "deeper";
    ::umask(mask);
    auto store = open(data_dir_);
    ASSERT_TRUE(store) << store.error().detail;
    ASSERT_TRUE((*store)->add(core::make_realm()));
    EXPECT_EQ(mode_of(data_dir_.parent_path()), 0700U);
    EXPECT_EQ(mode_of(data_dir_), 0700U);
    EXPECT_EQ(mode_of(file()), 0600U);
    EXPECT_EQ(mode_of(data_dir_ / "fanfare.db-wal"), 0600U);
    EXPECT_EQ(mode_of(data_dir_ / "fanfare.db-shm"), 0600U);
  }
}

TEST_F(StoreTest, ClosesAnOldDatabaseToOthersAndLeavesTheDirectoryAsItIs) {
  fs::create_directory(data_dir_);
  ASSERT_EQ(::chmod(data_dir_.c_str(), 0755), 0);
  std::ofstream(file()).close();
  ASSERT_TRUE(open(data_dir_));
  EXPECT_EQ(mode_of(data_dir_), 0755U);
  EXPECT_EQ(mode_of(file()), 0600U);
}

TEST_F(StoreTest, TakesADirectoryWithASlashAtItsEnd) {
  data_dir_ = root_ / "data/";
  EXPECT_EQ(error_of_open(), "");
}

TEST_F(StoreTest, SaysWhichDirectoryCannotBeMade) {
  std::ofstream(root_ / "file").close();
  data_dir_ = root_ / "file" / "data";
  EXPECT_THAT(error_of_open(), AllOf(HasSubstr(data_dir_.string()), HasSubstr("cannot be made"),
                                     HasSubstr("--data")));
}

TEST_F(StoreTest, SaysWhenTheDirectoryIsAFile) {
  std::ofstream(root_ / "data").close();
  EXPECT_THAT(error_of_open(), AllOf(HasSubstr(data_dir_.string()), HasSubstr("cannot be made")));
}

TEST_F(StoreTest, SaysWhichDirectoryCannotBeWrittenTo) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  fs::create_directory(data_dir_);
  ASSERT_EQ(::chmod(data_dir_.c_str(), 0500), 0);
  EXPECT_THAT(error_of_open(),
              AllOf(HasSubstr(data_dir_.string()), HasSubstr("cannot be written to")));
}

TEST_F(StoreTest, SaysWhenTheDatabaseIsADirectory) {
  fs::create_directories(file());
  EXPECT_THAT(error_of_open(), AllOf(HasSubstr(data_dir_.string()), HasSubstr("cannot be")));
}

TEST_F(StoreTest, RefusesAFileThatIsNotADatabaseAndLeavesItAlone) {
  fs::create_directory(data_dir_);
  const std::string text(4096, 'x');
  std::ofstream(file()) << text;
  EXPECT_THAT(error_of_open(), AllOf(HasSubstr(data_dir_.string()), HasSubstr("not a database")));
  std::ifstream in(file());
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), text);
}

TEST_F(StoreTest, RefusesTheFormatOfANewerVersion) {
  ASSERT_TRUE(open(data_dir_));
  Stranger(file()).run("PRAGMA user_version = 2");
  const auto store = open(data_dir_);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Errc::conflict);
  EXPECT_THAT(store.error().detail, AllOf(HasSubstr(data_dir_.string()), HasSubstr("newer")));
}

TEST_F(StoreTest, SaysWhenAnotherProgramHoldsTheDatabase) {
  ASSERT_TRUE(open(data_dir_));
  Stranger stranger(file());
  stranger.run("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
  const auto store = open(data_dir_);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Errc::unavailable);
  EXPECT_THAT(store.error().detail, AllOf(HasSubstr(data_dir_.string()), HasSubstr("locked")));
}

TEST_F(StoreTest, RefusesAKeyThatSomebodyElseBroke) {
  {
    auto store = opened();
    ASSERT_TRUE(store->add(realm_named("mine", {"Zmlyc3Q="})));
  }
  Stranger(file()).run("UPDATE realm_key SET key = '!'");
  const auto realms = opened()->load();
  ASSERT_FALSE(realms);
  EXPECT_THAT(realms.error().detail, HasSubstr("damaged"));
}

}  // namespace
}  // namespace fanfare::store
