#include "tests/powercut/simulated_disk.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include <sqlite3.h>

namespace relay::powercut {

using Kind = Operation::Kind;

struct SimulatedDisk::Calls {
  struct File {
    sqlite3_file base;
    SimulatedDisk* disk;
    const char* name;  ///< SQLite keeps it as long as the file is open
  };

  static File& file_of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }

  static SimulatedDisk& disk_of(sqlite3_vfs* vfs) {
    return *static_cast<SimulatedDisk*>(vfs->pAppData);
  }

  static std::string& content(File& file) { return file.disk->files_[file.name]; }

  static void log(SimulatedDisk& disk, Operation operation) {
    if (disk.remembers_) disk.remembering_(disk.log_, std::move(operation));
  }

  static int close(sqlite3_file*) { return SQLITE_OK; }

  static int read(sqlite3_file* raw, void* into, int count, sqlite3_int64 at) {
    File& file = file_of(raw);
    const std::lock_guard lock(file.disk->mutex_);
    const std::string& octets = content(file);
    const auto begin = std::min(static_cast<std::size_t>(at), octets.size());
    const auto have = std::min(static_cast<std::size_t>(count), octets.size() - begin);
    std::memcpy(into, octets.data() + begin, have);
    if (have == static_cast<std::size_t>(count)) return SQLITE_OK;
    std::memset(static_cast<char*>(into) + have, 0, static_cast<std::size_t>(count) - have);
    return SQLITE_IOERR_SHORT_READ;
  }

  static int write(sqlite3_file* raw, const void* octets, int count, sqlite3_int64 at) {
    File& file = file_of(raw);
    const std::lock_guard lock(file.disk->mutex_);
    std::string& all = content(file);
    const auto begin = static_cast<std::size_t>(at);
    const auto size = static_cast<std::size_t>(count);
    if (all.size() < begin + size) all.resize(begin + size);
    std::memcpy(all.data() + begin, octets, size);
    log(*file.disk, {.kind = Kind::Write,
                     .file = file.name,
                     .offset = begin,
                     .octets = std::string(static_cast<const char*>(octets), size)});
    return SQLITE_OK;
  }

  static int truncate(sqlite3_file* raw, sqlite3_int64 size) {
    File& file = file_of(raw);
    const std::lock_guard lock(file.disk->mutex_);
    content(file).resize(static_cast<std::size_t>(size));
    log(*file.disk, {.kind = Kind::Truncate,
                     .file = file.name,
                     .offset = static_cast<std::uint64_t>(size),
                     .octets = {}});
    return SQLITE_OK;
  }

  static int sync(sqlite3_file* raw, int) {
    File& file = file_of(raw);
    const std::lock_guard lock(file.disk->mutex_);
    log(*file.disk, {.kind = Kind::Sync, .file = file.name, .octets = {}});
    return SQLITE_OK;
  }

  static int size(sqlite3_file* raw, sqlite3_int64* into) {
    File& file = file_of(raw);
    const std::lock_guard lock(file.disk->mutex_);
    *into = static_cast<sqlite3_int64>(content(file).size());
    return SQLITE_OK;
  }

  static int lock(sqlite3_file*, int) { return SQLITE_OK; }

  static int check_lock(sqlite3_file*, int* held) {
    *held = 0;
    return SQLITE_OK;
  }

  static int control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }

  static int sector_size(sqlite3_file*) { return 4096; }

  /// As SQLite takes every Unix file system to be: a torn write harms nothing beside it.
  static int characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

  static const sqlite3_io_methods* methods() {
    static const sqlite3_io_methods made = {
        .iVersion = 1,
        .xClose = close,
        .xRead = read,
        .xWrite = write,
        .xTruncate = truncate,
        .xSync = sync,
        .xFileSize = size,
        .xLock = lock,
        .xUnlock = lock,
        .xCheckReservedLock = check_lock,
        .xFileControl = control,
        .xSectorSize = sector_size,
        .xDeviceCharacteristics = characteristics,
    };
    return &made;
  }

  static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* raw, int flags, int* out) {
    File& file = file_of(raw);
    file = {};
    if (name == nullptr) return SQLITE_CANTOPEN;  // temporary files: the spool keeps them in memory
    SimulatedDisk& disk = disk_of(vfs);
    const std::lock_guard lock(disk.mutex_);
    if ((flags & SQLITE_OPEN_CREATE) == 0 && !disk.files_.contains(name)) return SQLITE_CANTOPEN;
    disk.files_[name];
    file.disk = &disk;
    file.name = name;
    file.base.pMethods = methods();
    if (out != nullptr) *out = flags;
    return SQLITE_OK;
  }

  static int remove(sqlite3_vfs* vfs, const char* name, int) {
    SimulatedDisk& disk = disk_of(vfs);
    const std::lock_guard lock(disk.mutex_);
    disk.files_.erase(name);
    log(disk, {.kind = Kind::Delete, .file = name, .octets = {}});
    return SQLITE_OK;
  }

  static int access(sqlite3_vfs* vfs, const char* name, int, int* there) {
    SimulatedDisk& disk = disk_of(vfs);
    const std::lock_guard lock(disk.mutex_);
    *there = disk.files_.contains(name) ? 1 : 0;
    return SQLITE_OK;
  }

  static int full_name(sqlite3_vfs*, const char* name, int room, char* into) {
    sqlite3_snprintf(room, into, "%s", name);
    return SQLITE_OK;
  }
};

void remember_honestly(std::vector<Operation>& log, Operation operation) {
  log.push_back(std::move(operation));
}

SimulatedDisk::SimulatedDisk(Remembering* remembering)
    : remembering_(remembering), vfs_(std::make_unique<sqlite3_vfs>()) {
  sqlite3_initialize();
  *vfs_ = *sqlite3_vfs_find("unix");  // randomness, sleep and time are the real ones
  vfs_->szOsFile = sizeof(Calls::File);
  vfs_->pNext = nullptr;
  vfs_->zName = "simulated";
  vfs_->pAppData = this;
  vfs_->xOpen = Calls::open;
  vfs_->xDelete = Calls::remove;
  vfs_->xAccess = Calls::access;
  vfs_->xFullPathname = Calls::full_name;
  if (sqlite3_vfs_register(vfs_.get(), 1) != SQLITE_OK) {
    throw std::runtime_error("the simulated disk cannot be registered");
  }
}

SimulatedDisk::~SimulatedDisk() {
  sqlite3_vfs_unregister(vfs_.get());
  sqlite3_vfs_register(sqlite3_vfs_find("unix"), 1);
}

void SimulatedDisk::load(Files files) {
  const std::lock_guard lock(mutex_);
  files_ = std::move(files);
}

void SimulatedDisk::note(Fact fact) {
  const std::lock_guard lock(mutex_);
  log_.push_back({.kind = Kind::Fact, .file = {}, .octets = {}, .fact = std::move(fact)});
}

Files SimulatedDisk::files() {
  const std::lock_guard lock(mutex_);
  return files_;
}

std::vector<Operation> SimulatedDisk::take_log() {
  const std::lock_guard lock(mutex_);
  return std::exchange(log_, {});
}

}  // namespace relay::powercut
