#include "relay/spool/content_file.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace relay::spool {

namespace {

void check(int code, const char* what) {
  if (code != SQLITE_OK) throw DatabaseError(code & 0xFF, what);
}

// SQLite's own VFS takes less than 128 KiB at a time.
constexpr std::size_t kPiece = 64UL * 1024;
static_assert(ContentFile::kSlotOctets % kPiece == 0);

sqlite3_int64 place_of(std::int64_t slot) {
  return slot * static_cast<sqlite3_int64>(ContentFile::kSlotOctets);
}

}  // namespace

void ContentFile::Close::operator()(sqlite3_file* file) const {
  if (file->pMethods != nullptr) file->pMethods->xClose(file);
  sqlite3_free(file);
}

ContentFile::ContentFile(const std::string& database) : path_(path_of(database)) {
  sqlite3_vfs* vfs = sqlite3_vfs_find(nullptr);
  void* const room = sqlite3_malloc(vfs->szOsFile);
  if (room == nullptr) throw DatabaseError(SQLITE_NOMEM, "out of memory");
  file_.reset(new (room) sqlite3_file{});
  // Opened like a write-ahead log: without locks, with the database's mode, and its first sync also
  // syncs the folder.
  constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_WAL;
  check(vfs->xOpen(vfs, path_.c_str(), file_.get(), kFlags, nullptr),
        "the file for big content cannot be opened");
}

void ContentFile::adopt(std::int64_t slot) {
  const auto index = static_cast<std::size_t>(slot);
  // Beyond 64 TiB, larger than any disk, the row is damaged; its content will be found damaged when
  // read.
  constexpr std::size_t kMost = (1ULL << 46) / kSlotOctets;
  if (slot < 0 || index >= kMost) return;
  if (index >= used_.size()) used_.resize(index + 1);
  if (used_[index]) {
    shared_.insert(slot);
    return;
  }
  used_[index] = true;
  ++in_use_;
}

std::int64_t ContentFile::write(std::string_view octets) {
  while (first_free_ < used_.size() && used_[first_free_]) ++first_free_;
  const auto slot = static_cast<std::int64_t>(first_free_);
  for (std::size_t at = 0; at < kSlotOctets; at += kPiece) {
    check(file_->pMethods->xWrite(file_.get(), octets.data() + at, kPiece,
                                  place_of(slot) + static_cast<sqlite3_int64>(at)),
          "content cannot be written");
  }
  unsynced_ = true;
  taken_.push_back(slot);
  if (first_free_ == used_.size()) used_.push_back(false);
  if (first_free_ < hollow_.size()) hollow_[first_free_] = false;
  used_[first_free_++] = true;
  ++in_use_;
  return slot;
}

std::string ContentFile::read(std::int64_t slot) {
  std::string octets(kSlotOctets, '\0');
  for (std::size_t at = 0; at < kSlotOctets; at += kPiece) {
    const int code = file_->pMethods->xRead(file_.get(), octets.data() + at, kPiece,
                                            place_of(slot) + static_cast<sqlite3_int64>(at));
    if (code != SQLITE_IOERR_SHORT_READ) check(code, "content cannot be read");
  }
  return octets;
}

void ContentFile::give_up(std::int64_t slot) { given_up_.push_back(slot); }

void ContentFile::sync() {
  if (!unsynced_) return;
  check(file_->pMethods->xSync(file_.get(), SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY),
        "content cannot be synced");
  unsynced_ = false;
}

void ContentFile::committed(bool on_disk) {
  taken_.clear();
  leaving_.insert(leaving_.end(), given_up_.begin(), given_up_.end());
  given_up_.clear();
  if (!on_disk) return;
  for (const std::int64_t slot : std::exchange(leaving_, {})) free(slot);
}

void ContentFile::rolled_back() {
  for (const std::int64_t slot : std::exchange(taken_, {})) free(slot);
  given_up_.clear();
}

void ContentFile::free(std::int64_t slot) {
  const auto index = static_cast<std::size_t>(slot);
  if (slot < 0 || index >= used_.size() || !used_[index] || shared_.contains(slot)) return;
  used_[index] = false;
  --in_use_;
  first_free_ = std::min(first_free_, index);
}

void ContentFile::shrink() {
  while (!used_.empty() && !used_.back()) used_.pop_back();
  hollow_.resize(std::min(hollow_.size(), used_.size()));
  first_free_ = std::min(first_free_, used_.size());
  const sqlite3_int64 end = place_of(static_cast<std::int64_t>(used_.size()));
  sqlite3_int64 size = 0;
  check(file_->pMethods->xFileSize(file_.get(), &size), "the file for big content cannot be read");
  if (size <= end) return;
  check(file_->pMethods->xTruncate(file_.get(), end), "the file for big content cannot be cut");
}

void ContentFile::make_holes() {
  const int file = ::open(path_.c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) return;
  hollow_.resize(used_.size());
  const auto is_solid = [this](std::size_t slot) { return !used_[slot] && !hollow_[slot]; };
  for (std::size_t first = 0; first < used_.size();) {
    std::size_t end = first;
    while (end < used_.size() && is_solid(end)) ++end;
    const bool made =
        end == first || ::fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                    place_of(static_cast<std::int64_t>(first)),
                                    place_of(static_cast<std::int64_t>(end - first))) == 0;
    if (!made) break;
    for (; first < end; ++first) hollow_[first] = true;
    while (first < used_.size() && !is_solid(first)) ++first;
  }
  ::close(file);
}

}  // namespace relay::spool
