// RAII wrappers of SQLite: a connection and prepared statements. Errors are thrown only inside this
// room; the writer thread turns them into SpoolError.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include <sqlite3.h>

namespace relay::spool {

class DatabaseError : public std::runtime_error {
 public:
  DatabaseError(int sqlite_code, const std::string& what)
      : std::runtime_error(what), code(sqlite_code) {}

  int code;  ///< primary result code
};

/// A value is not what was stored. The database is sound otherwise: only this request fails.
class DamagedValue : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A prepared statement. Bind by position from 1, then step(); reset() before the next use. Bound
/// text and blobs must live until reset().
class Statement {
 public:
  Statement() = default;
  Statement(sqlite3* connection, const char* sql);

  Statement& bind(int at, std::int64_t value);
  Statement& bind(int at, std::string_view text);
  Statement& bind_blob(int at, std::string_view octets);
  Statement& bind_null(int at);

  bool step();  ///< true: a row is there
  void run();   ///< steps to the end and resets
  void reset() noexcept;

  std::int64_t number(int column) const;
  std::string text(int column) const;       ///< also for blobs
  std::string_view view(int column) const;  ///< the same, valid until the next step
  bool is_null(int column) const;

  sqlite3_stmt* raw() const { return statement_.get(); }

 private:
  void check(int code) const;

  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };

  sqlite3* connection_ = nullptr;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// Resets a statement at the end of a scope.
class Use {
 public:
  explicit Use(Statement& statement) : statement_(statement) {}

  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;

  ~Use() { statement_.reset(); }

  Statement* operator->() { return &statement_; }

 private:
  Statement& statement_;
};

class Connection {
 public:
  explicit Connection(const std::string& path);

  sqlite3* raw() const { return db_.get(); }

  void execute(const char* sql);
  std::string pragma(const char* sql);  ///< first column of the first row, as text

  std::int64_t changes() const { return sqlite3_changes64(db_.get()); }

 private:
  struct Close {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };

  std::unique_ptr<sqlite3, Close> db_;
};

}  // namespace relay::spool
