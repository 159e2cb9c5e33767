#include "relay/spool/shrink.hpp"

#include "relay/spool/spool_folder.hpp"

namespace relay::spool {

namespace {

// The new file is made in memory, and then written to the log and from there to its place.
constexpr std::uint64_t kMostUsed = 128ULL << 20;

std::uint64_t number(Connection& connection, const char* pragma) {
  return std::stoull(connection.pragma(pragma));
}

/// Errors after which the old file is as good as it was.
bool harms_nothing(int code) {
  return code == SQLITE_FULL || code == SQLITE_NOMEM || code == SQLITE_CORRUPT ||
         code == SQLITE_CONSTRAINT;
}

}  // namespace

std::uint64_t shrink(Connection& connection, const std::string& path, std::uint64_t above) {
  const std::uint64_t page = number(connection, "PRAGMA page_size");
  const std::uint64_t before = number(connection, "PRAGMA page_count") * page;
  const std::uint64_t unused = number(connection, "PRAGMA freelist_count") * page;
  const std::uint64_t used = before - unused;
  if (before <= above || unused <= used || used > kMostUsed) return 0;
  if (free_octets(path) < 2 * used) return 0;
  try {
    connection.execute("VACUUM");
  } catch (const DatabaseError& error) {
    if (harms_nothing(error.code)) return 0;
    throw;
  }
  connection.execute("PRAGMA wal_checkpoint(TRUNCATE)");
  return before - number(connection, "PRAGMA page_count") * page;
}

}  // namespace relay::spool
