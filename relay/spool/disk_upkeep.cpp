#include "relay/spool/disk_upkeep.hpp"

#include <utility>

#include "relay/spool/schema.hpp"
#include "relay/spool/spool_folder.hpp"

namespace relay::spool {

namespace {

// Pages: 16 MiB; and 2 MiB, a few slices of an order.
constexpr std::int64_t kLongLog = 2048;
constexpr std::int64_t kLongLogOfOrders = 256;

int count_log_pages(void* pages, sqlite3*, const char*, int total) {
  *static_cast<std::int64_t*>(pages) = total;
  return SQLITE_OK;
}

}  // namespace

bool is_fatal(int code) {
  return code == SQLITE_IOERR || code == SQLITE_CORRUPT || code == SQLITE_NOTADB ||
         code == SQLITE_CANTOPEN || code == SQLITE_READONLY || code == SQLITE_NOMEM;
}

DiskUpkeep::DiskUpkeep(Connection& connection, ContentFile& content, std::string path,
                       std::uint64_t min_free)
    : connection_(connection), content_(content), path_(std::move(path)), min_free_(min_free) {
  sqlite3_wal_hook(connection_.raw(), count_log_pages, &log_pages_);
}

/// The database file shrinks only at a start (shrink.hpp), so its unused pages count as free space;
/// otherwise a disk that was full once would refuse mail until then. Free slots of the content file
/// cannot serve as pages: they are given back to the disk instead.
bool DiskUpkeep::is_low() {
  if (min_free_ == 0) return false;
  if (free_octets(path_) >= min_free_ + log_octets()) return false;
  // Folding in the log can make the database grow. Do it while it fits: on a full disk neither
  // could be written, and not even deliveries could be recorded.
  fold_log_in();
  content_.shrink();
  content_.make_holes();
  const std::uint64_t outside = free_octets(path_);
  return outside < log_octets() || outside + free_inside() < min_free_;
}

std::uint64_t DiskUpkeep::log_octets() const {
  return static_cast<std::uint64_t>(log_pages_) * kPageOctets;
}

std::uint64_t DiskUpkeep::free_inside() const {
  return std::stoull(connection_.pragma("PRAGMA freelist_count")) * kPageOctets;
}

bool DiskUpkeep::is_log_long(Round round) const {
  switch (round) {
    case Round::Busy:
      return log_pages_ >= kLongLog;
    case Round::AfterOrder:
      return log_pages_ >= kLongLogOfOrders;
    case Round::Idle:
      return log_pages_ > 0;
  }
  return false;
}

void DiskUpkeep::look_round(Round round) {
  if (!is_log_long(round)) return;
  fold_log_in();
  if (round != Round::Idle) return;
  content_.shrink();
  make_reserve(path_);
}

void DiskUpkeep::use_reserve() {
  release_reserve(path_);
  fold_log_in();
}

/// If there is no space for it, the log stays as it is.
void DiskUpkeep::fold_log_in() {
  const int code = sqlite3_wal_checkpoint_v2(connection_.raw(), nullptr, SQLITE_CHECKPOINT_PASSIVE,
                                             nullptr, nullptr);
  if (code == SQLITE_OK) log_pages_ = 0;
  if (is_fatal(code & 0xFF)) throw DatabaseError(code & 0xFF, sqlite3_errmsg(connection_.raw()));
}

void DiskUpkeep::finish() {
  const int code = sqlite3_wal_checkpoint_v2(connection_.raw(), nullptr, SQLITE_CHECKPOINT_TRUNCATE,
                                             nullptr, nullptr);
  if (is_fatal(code & 0xFF)) throw DatabaseError(code & 0xFF, sqlite3_errmsg(connection_.raw()));
  content_.shrink();
}

}  // namespace relay::spool
