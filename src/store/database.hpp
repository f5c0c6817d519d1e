#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace fanfare::store {

/// One SQLite statement. Steps through rows or runs to its end; finalised when it goes.
class Statement {
 public:
  /// Texts are copied; places count from 1, as in SQL.
  Statement& bind(int place, std::string_view text);
  Statement& bind(int place, std::int64_t number);

  /// SQLite's own result code: SQLITE_ROW while there are rows, then SQLITE_DONE, else an error.
  int step();

  /// Columns count from 0.
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] std::int64_t number(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };

  std::unique_ptr<sqlite3_stmt, Finalize> handle_;  // null when the SQL did not compile
  int prepared_ = 0;
};

/// One connection to one SQLite file. Says what happened in SQLite's codes; sentences are the
/// store's.
class Database {
 public:
  /// Opens a file for reading and writing, or makes it.
  int open(const std::string& path);

  Statement prepare(std::string_view sql);
  /// Runs statements that give no rows.
  int run(const char* sql);

  /// SQLite's words for the last error.
  [[nodiscard]] std::string last_error() const;

 private:
  struct Close {
    void operator()(sqlite3* database) const noexcept;
  };
  std::unique_ptr<sqlite3, Close> handle_;
};

/// A write transaction: undone when it goes without a commit.
class Transaction {
 public:
  explicit Transaction(Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  /// Whether it began; SQLITE_OK or why not.
  [[nodiscard]] int began() const noexcept { return began_; }
  int commit();

 private:
  Database& database_;
  int began_;
  bool is_open_;
};

}  // namespace fanfare::store
