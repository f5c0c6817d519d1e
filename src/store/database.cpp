#include "store/database.hpp"

#include <chrono>

#include <sqlite3.h>

namespace fanfare::store {
namespace {

// Another process that writes does so in milliseconds; one that keeps a lock longer is told of.
constexpr std::chrono::milliseconds kBusyWait{1000};

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const noexcept {
  sqlite3_finalize(statement);
}

Statement& Statement::bind(int place, std::string_view text) {
  if (handle_ && prepared_ == SQLITE_OK) {
    prepared_ = sqlite3_bind_text64(handle_.get(), place, text.data(), text.size(),
                                    SQLITE_TRANSIENT, SQLITE_UTF8);
  }
  return *this;
}

Statement& Statement::bind(int place, std::int64_t number) {
  if (handle_ && prepared_ == SQLITE_OK) {
    prepared_ = sqlite3_bind_int64(handle_.get(), place, number);
  }
  return *this;
}

int Statement::step() {
  return prepared_ == SQLITE_OK ? sqlite3_step(handle_.get()) : prepared_;
}

std::string Statement::text(int column) const {
  const unsigned char* const bytes = sqlite3_column_text(handle_.get(), column);
  const int size = sqlite3_column_bytes(handle_.get(), column);
  return bytes == nullptr ? std::string() : std::string(bytes, bytes + size);
}

std::int64_t Statement::number(int column) const {
  return sqlite3_column_int64(handle_.get(), column);
}

void Database::Close::operator()(sqlite3* database) const noexcept {
  sqlite3_close(database);
}

int Database::open(const std::string& path) {
  sqlite3* database = nullptr;
  const int result =
      sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  handle_.reset(database);  // SQLite gives a handle even when it fails, for its error text
  if (result != SQLITE_OK) return result;
  return sqlite3_busy_timeout(database, static_cast<int>(kBusyWait.count()));
}

Statement Database::prepare(std::string_view sql) {
  Statement statement;
  sqlite3_stmt* handle = nullptr;
  statement.prepared_ =
      sqlite3_prepare_v2(handle_.get(), sql.data(), static_cast<int>(sql.size()), &handle, nullptr);
  statement.handle_.reset(handle);
  return statement;
}

int Database::run(const char* sql) {
  return sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
}

std::string Database::last_error() const {
  return sqlite3_errmsg(handle_.get());
}

// IMMEDIATE takes the write lock now: a transaction that reads first and then wants to write cannot
// wait for another writer, and would fail as busy at once.
Transaction::Transaction(Database& database)
    : database_(database), began_(database.run("BEGIN IMMEDIATE")), is_open_(began_ == SQLITE_OK) {}

Transaction::~Transaction() {
  if (is_open_) database_.run("ROLLBACK");
}

int Transaction::commit() {
  const int result = database_.run("COMMIT");
  if (result == SQLITE_OK) is_open_ = false;
  return result;
}

}  // namespace fanfare::store
