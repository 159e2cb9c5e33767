#include "relay/spool/opened_database.hpp"

#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "relay/spool/schema.hpp"

namespace relay::spool {

namespace {

constexpr std::uintmax_t kQuickCheckLimit = 64ULL << 20;

void set_pragmas(Connection& connection) {
  sqlite3_db_config(connection.raw(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  // After a failed sync the state of the disk is unknown: closing must not checkpoint the log.
  sqlite3_db_config(connection.raw(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_busy_timeout(connection.raw(), 0);
  connection.execute("PRAGMA locking_mode = EXCLUSIVE");
  connection.execute(fmt::format("PRAGMA page_size = {}", kPageOctets).c_str());
  connection.pragma("PRAGMA journal_mode = WAL");
  connection.execute("PRAGMA synchronous = FULL");
  connection.execute("PRAGMA trusted_schema = OFF");
  // Overwrite deleted mail if that costs no extra page write.
  connection.execute("PRAGMA secure_delete = FAST");
  connection.execute("PRAGMA wal_autocheckpoint = 0");
  connection.execute("PRAGMA cache_size = -16384");
  connection.execute("PRAGMA journal_size_limit = 67108864");
  connection.execute("PRAGMA temp_store = MEMORY");
}

/// After a failed sync the page cache may hold pages as clean that never reached the disk: drop
/// them and read the disk. Dirty pages stay.
void drop_cached(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  ::close(fd);
}

OpenReport report_of(Connection& connection, Tables& tables) {
  OpenReport report;
  report.messages = static_cast<std::uint64_t>(tables.tally.now().messages);
  report.sqlite_version = sqlite3_libversion();
  report.journal_mode = connection.pragma("PRAGMA journal_mode");
  report.synchronous = connection.pragma("PRAGMA synchronous");
  report.locking_mode = connection.pragma("PRAGMA locking_mode");
  return report;
}

/// When the file was last written.
std::optional<base::WallTime> written_at(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return base::WallTime{} + std::chrono::seconds(status.st_mtim.tv_sec);
}

bool is_durable(const OpenReport& report) {
  return report.journal_mode == "wal" && report.synchronous == "2";
}

}  // namespace

std::expected<OpenedDatabase, std::string> OpenedDatabase::open(const std::string& path,
                                                                const ports::Clock& clock,
                                                                const TableLimits& limits,
                                                                std::uint64_t shrink_above) {
  OpenedDatabase opened;
  std::error_code ignored;
  const auto log_size = std::filesystem::file_size(path + "-wal", ignored);
  const bool clean = ignored || log_size == 0;
  const auto last_write = clean ? std::nullopt : written_at(path + "-wal");
  if (!clean) {
    drop_cached(path);
    drop_cached(path + "-wal");
    drop_cached(ContentFile::path_of(path));
  }
  try {
    opened.connection = std::make_unique<Connection>(path);
    set_pragmas(*opened.connection);
    // Bigger queues are not checked as a whole at start: each chunk is checked when it is read.
    const auto size = std::filesystem::file_size(path, ignored);
    if (!clean && size < kQuickCheckLimit) {
      const std::string found = opened.connection->pragma("PRAGMA quick_check(1)");
      if (found != "ok") {
        return std::unexpected(fmt::format("queue {} is damaged: {}", path, found));
      }
    }
    // Never append to a log whose end may not be on the disk: after a later power cut the log would
    // end there, and everything acknowledged after it would be lost.
    if (!clean) opened.connection->execute("PRAGMA wal_checkpoint(TRUNCATE)");
    migrate(*opened.connection);
    const std::uint64_t given_back = shrink(*opened.connection, path, shrink_above);
    opened.content = std::make_unique<ContentFile>(path);
    opened.transactions = std::make_unique<Transactions>(*opened.connection);
    opened.tables = std::make_unique<Tables>(*opened.connection, *opened.content,
                                             *opened.transactions, clock, limits);
    opened.report = report_of(*opened.connection, *opened.tables);
    opened.report.drafts_removed = opened.tables->contents.remove_drafts();
    opened.tables->contents.adopt_slots();
    opened.report.given_back = given_back;
    opened.report.clean = clean;
    opened.report.last_write = last_write;
  } catch (const DatabaseError& error) {
    if (error.code == SQLITE_BUSY || error.code == SQLITE_LOCKED) {
      return std::unexpected("queue " + path + " is in use by another process");
    }
    return std::unexpected(fmt::format("queue {}: {}", path, error.what()));
  }
  if (!is_durable(opened.report)) {
    return std::unexpected(
        fmt::format("queue {}: durable settings were not taken (journal {}, synchronous {})", path,
                    opened.report.journal_mode, opened.report.synchronous));
  }
  return opened;
}

}  // namespace relay::spool
