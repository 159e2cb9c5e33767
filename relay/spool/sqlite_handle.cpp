#include "relay/spool/sqlite_handle.hpp"

namespace relay::spool {

namespace {

/// Turns off SQLite's memory statistics: nothing uses them, and they take a lock per allocation, a
/// twentieth of SQLite's work. Has no effect once SQLite is initialised.
void count_no_memory() {
  static const int told = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  static_cast<void>(told);
}

}  // namespace

Connection::Connection(const std::string& path) {
  count_no_memory();
  sqlite3* db = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int code = sqlite3_open_v2(path.c_str(), &db, flags, nullptr);
  db_.reset(db);
  if (code != SQLITE_OK) {
    throw DatabaseError(code & 0xFF, db ? sqlite3_errmsg(db) : "out of memory");
  }
  sqlite3_extended_result_codes(db, 1);
}

void Connection::execute(const char* sql) {
  const int code = sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) throw DatabaseError(code & 0xFF, sqlite3_errmsg(db_.get()));
}

std::string Connection::pragma(const char* sql) {
  Statement statement(db_.get(), sql);
  return statement.step() ? statement.text(0) : std::string();
}

Statement::Statement(sqlite3* connection, const char* sql) : connection_(connection) {
  sqlite3_stmt* raw = nullptr;
  check(sqlite3_prepare_v3(connection, sql, -1, SQLITE_PREPARE_PERSISTENT, &raw, nullptr));
  statement_.reset(raw);
}

void Statement::check(int code) const {
  if (code != SQLITE_OK) throw DatabaseError(code & 0xFF, sqlite3_errmsg(connection_));
}

Statement& Statement::bind(int at, std::int64_t value) {
  check(sqlite3_bind_int64(statement_.get(), at, value));
  return *this;
}

Statement& Statement::bind(int at, std::string_view text) {
  check(sqlite3_bind_text64(statement_.get(), at, text.data() ? text.data() : "", text.size(),
                            SQLITE_STATIC, SQLITE_UTF8));
  return *this;
}

Statement& Statement::bind_blob(int at, std::string_view octets) {
  check(sqlite3_bind_blob64(statement_.get(), at, octets.data() ? octets.data() : "", octets.size(),
                            SQLITE_STATIC));
  return *this;
}

Statement& Statement::bind_null(int at) {
  check(sqlite3_bind_null(statement_.get(), at));
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  throw DatabaseError(code & 0xFF, sqlite3_errmsg(connection_));
}

void Statement::run() {
  const Use use(*this);
  while (step()) {
  }
}

void Statement::reset() noexcept {
  if (statement_) sqlite3_reset(statement_.get());
}

std::int64_t Statement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::view(int column) const {
  const void* octets = sqlite3_column_blob(statement_.get(), column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return octets ? std::string_view(static_cast<const char*>(octets), size) : std::string_view();
}

std::string Statement::text(int column) const { return std::string(view(column)); }

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

}  // namespace relay::spool
