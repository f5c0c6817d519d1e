#include "store/store.hpp"

#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <sqlite3.h>

#include "store/database.hpp"

namespace fanfare::store {
namespace {

using base::Done;
using base::Errc;
using base::Error;
using base::Result;
using base::Status;
using core::Realm;
using std::filesystem::path;

constexpr std::string_view kFileName = "fanfare.db";

// Written to PRAGMA user_version. Raise it with every change of the tables, and say in migrate()
// how to come from the one before.
constexpr std::int64_t kSchemaVersion = 1;

// A key is kept as its owner wrote it: that text is also a password in HTTP Basic.
constexpr const char* kSchema = R"sql(
  CREATE TABLE realm (
    id         TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL DEFAULT (unixepoch())
  ) STRICT;
  CREATE TABLE realm_key (
    realm_id TEXT NOT NULL REFERENCES realm (id) ON DELETE CASCADE,
    place    INTEGER NOT NULL,
    key      TEXT NOT NULL,
    PRIMARY KEY (realm_id, place)
  ) STRICT, WITHOUT ROWID;
  PRAGMA user_version = 1;
)sql";

// FULL, so that a realm whose key was printed is still there after a power cut.
constexpr const char* kSettings =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;";

Error io_error(std::string detail) {
  return Error{Errc::io, std::move(detail)};
}

std::string system_text(int code) {
  return std::error_code(code, std::generic_category()).message();
}

// ---- Files

Error cannot_make(const path& data_dir, int code) {
  return io_error(
      fmt::format("the data directory {} cannot be made: {}; make it yourself, or name "
                  "another one with --data",
                  data_dir.string(), system_text(code)));
}

Error cannot_write(const path& data_dir, int code) {
  return io_error(
      fmt::format("the data directory {} cannot be written to: {}; give it to the user "
                  "that runs fanfare, or name another one with --data",
                  data_dir.string(), system_text(code)));
}

// mkdir() and open() take the umask off the mode they are given, so the mode is set once more.
int make_directory(const path& directory) {
  if (::mkdir(directory.c_str(), 0700) == 0) {
    return ::chmod(directory.c_str(), 0700) == 0 ? 0 : errno;
  }
  const int code = errno;
  std::error_code failure;
  if (std::filesystem::is_directory(directory, failure)) return 0;
  return code == EEXIST ? ENOTDIR : code;
}

Status make_directories(const path& data_dir) {
  path so_far;
  for (const auto& part : data_dir) {
    so_far /= part;
    if (part.empty()) continue;  // after a final slash
    if (const int code = make_directory(so_far); code != 0) return cannot_make(data_dir, code);
  }
  return Done{};
}

// Before SQLite does, because SQLite takes the mode of its side files (which hold keys too) from
// the database, and makes that with the umask.
Status make_file(const path& data_dir, const path& file) {
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0 && errno != EEXIST) return cannot_write(data_dir, errno);
  // Only a file that is new is opened here: closing one that SQLite has open in this process would
  // release SQLite's locks (POSIX ties them to the process, not to the descriptor).
  if (descriptor >= 0) ::close(descriptor);
  // Fails only for a file of another user, who then decides who reads it.
  static_cast<void>(::chmod(file.c_str(), 0600));
  return Done{};
}

// ---- The database

class SqliteStore final : public core::RealmStore {
 public:
  explicit SqliteStore(path data_dir) : data_dir_(std::move(data_dir)) {}

  Status open();
  Result<std::vector<Realm>> load() override;
  Status add(const Realm& realm) override;

 private:
  Result<std::int64_t> version();
  Status migrate();
  Status refuse_newer(std::int64_t version) const;
  Status insert(const Realm& realm);
  // Says what SQLite's code means for the operator.
  [[nodiscard]] Error explain(int code) const;

  path data_dir_;
  Database database_;
};

Status SqliteStore::open() {
  if (const int code = database_.open((data_dir_ / kFileName).string()); code != SQLITE_OK) {
    return explain(code);
  }
  // Looked at before anything is changed: a newer fanfare's file stays as it is.
  const auto found = version();
  if (!found) return found.error();
  if (auto status = refuse_newer(*found); !status) return status;
  if (const int code = database_.run(kSettings); code != SQLITE_OK) return explain(code);
  return *found == kSchemaVersion ? Status(Done{}) : migrate();
}

Result<std::int64_t> SqliteStore::version() {
  auto statement = database_.prepare("PRAGMA user_version");
  const int code = statement.step();
  if (code != SQLITE_ROW) return explain(code);
  return statement.number(0);
}

Status SqliteStore::migrate() {
  Transaction transaction(database_);
  if (transaction.began() != SQLITE_OK) return explain(transaction.began());
  // Once more under the lock: two processes may start at the same time.
  const auto found = version();
  if (!found) return found.error();
  if (*found == kSchemaVersion) return Done{};
  if (auto status = refuse_newer(*found); !status) return status;
  if (const int code = database_.run(kSchema); code != SQLITE_OK) return explain(code);
  if (const int code = transaction.commit(); code != SQLITE_OK) return explain(code);
  return Done{};
}

Status SqliteStore::refuse_newer(std::int64_t version) const {
  if (version >= 0 && version <= kSchemaVersion) return Done{};
  return Error{
      Errc::conflict,
      fmt::format("the data directory {} was written by a newer fanfare (its format is {}, "
                  "this program knows {}); run that version, or name another directory "
                  "with --data",
                  data_dir_.string(), version, kSchemaVersion)};
}

Result<std::vector<Realm>> SqliteStore::load() {
  auto rows = database_.prepare(
      "SELECT realm.id, realm_key.key FROM realm JOIN realm_key ON realm_key.realm_id = realm.id "
      "ORDER BY realm.rowid, realm_key.place");
  std::vector<Realm> realms;
  int code = rows.step();
  for (; code == SQLITE_ROW; code = rows.step()) {
    auto id = core::parse_realm_id(rows.text(0));
    auto key = core::parse_realm_key(rows.text(1));
    if (!id || !key) return explain(SQLITE_CORRUPT);
    if (realms.empty() || realms.back().id != *id) realms.emplace_back().id = *id;
    realms.back().keys.push_back(std::move(*key));
  }
  if (code != SQLITE_DONE) return explain(code);
  return realms;
}

Status SqliteStore::add(const Realm& realm) {
  Transaction transaction(database_);
  if (transaction.began() != SQLITE_OK) return explain(transaction.began());
  if (auto status = insert(realm); !status) return status;
  if (const int code = transaction.commit(); code != SQLITE_OK) return explain(code);
  return Done{};
}

Status SqliteStore::insert(const Realm& realm) {
  auto realm_row = database_.prepare("INSERT INTO realm (id) VALUES (?)");
  const int code = realm_row.bind(1, realm.id.value()).step();
  if (code == SQLITE_CONSTRAINT) {
    return Error{Errc::conflict,
                 fmt::format("there is a realm '{}' already; choose another id", realm.id.value())};
  }
  if (code != SQLITE_DONE) return explain(code);
  std::int64_t place = 0;
  for (const auto& key : realm.keys) {
    auto key_row =
        database_.prepare("INSERT INTO realm_key (realm_id, place, key) VALUES (?, ?, ?)");
    key_row.bind(1, realm.id.value()).bind(2, ++place).bind(3, key.text);
    if (const int failed = key_row.step(); failed != SQLITE_DONE) return explain(failed);
  }
  return Done{};
}

Error SqliteStore::explain(int code) const {
  const std::string where =
      fmt::format("{} in the data directory {}", kFileName, data_dir_.string());
  switch (code & 0xff) {  // without SQLite's finer distinctions
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return io_error(where +
                      " is damaged, or not a database of fanfare; put a copy back, or move "
                      "it away to start with a new one");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Error{Errc::unavailable,
                   where + " is locked by another program; end that one, and start again"};
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      return io_error(where +
                      " cannot be written to; give it to the user that runs fanfare, or "
                      "name another directory with --data");
    case SQLITE_FULL:
      return io_error(where + " cannot grow: the disk is full; make room, and start again");
    default:
      return io_error(fmt::format("{} cannot be used: {}", where, database_.last_error()));
  }
}

}  // namespace

Result<std::unique_ptr<core::RealmStore>> open(const path& data_dir) {
  if (auto status = make_directories(data_dir); !status) return std::move(status.error());
  if (auto status = make_file(data_dir, data_dir / kFileName); !status) {
    return std::move(status.error());
  }
  auto store = std::make_unique<SqliteStore>(data_dir);
  if (auto status = store->open(); !status) return std::move(status.error());
  return std::unique_ptr<core::RealmStore>(std::move(store));
}

bool exists_in(const path& data_dir) {
  std::error_code failure;
  return std::filesystem::exists(data_dir / kFileName, failure);
}

}  // namespace fanfare::store
