#include "tests/fakes/fault_vfs.hpp"

#include <atomic>
#include <cstring>
#include <mutex>
#include <stdexcept>

#include <sqlite3.h>
#include <unistd.h>

namespace relay::fakes {

namespace {

struct State {
  std::atomic<DiskFault> fault{DiskFault::None};
  std::atomic<std::uint64_t> nth{0};
  std::atomic<std::uint64_t> operations{0};
  std::atomic<std::uint64_t> faults{0};
  std::mutex mutex;
  std::vector<std::string> changed;
};

State& state() {
  static State the_state;
  return the_state;
}

/// Our file, and behind it in the same memory the real one.
struct File {
  sqlite3_file base;
  const char* name;  ///< SQLite keeps it as long as the file is open

  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

sqlite3_file* real(sqlite3_file* file) { return reinterpret_cast<File*>(file)->real(); }

/// Counts one operation; true when it is to fail.
bool fails(bool is_sync) {
  State& s = state();
  const std::uint64_t number = s.operations.fetch_add(1) + 1;
  const DiskFault fault = s.fault.load();
  if (fault == DiskFault::None || number < s.nth.load()) return false;
  const bool once = fault == DiskFault::SyncErrorOnce;
  const bool wants_sync = once || fault == DiskFault::SyncError;
  if (fault != DiskFault::Death && is_sync != wants_sync) return false;
  if (once && s.faults.load() > 0) return false;
  s.faults.fetch_add(1);
  return true;
}

std::string name_of(const char* path) {
  const std::string all = path == nullptr ? "" : path;
  return all.substr(all.rfind('/') + 1);
}

void note(const char* what, const char* path) {
  State& s = state();
  if (s.faults.load() == 0) return;
  const std::lock_guard lock(s.mutex);
  s.changed.push_back(std::string(what) + " " + name_of(path));
}

void note(const char* what, sqlite3_file* file) { note(what, reinterpret_cast<File*>(file)->name); }

int close_file(sqlite3_file* file) { return real(file)->pMethods->xClose(real(file)); }

int read_file(sqlite3_file* file, void* into, int count, sqlite3_int64 at) {
  return real(file)->pMethods->xRead(real(file), into, count, at);
}

int write_file(sqlite3_file* file, const void* octets, int count, sqlite3_int64 at) {
  if (fails(false)) {
    const DiskFault fault = state().fault.load();
    if (fault == DiskFault::Full) return SQLITE_FULL;
    if (fault == DiskFault::ShortWrite || fault == DiskFault::Death) {
      real(file)->pMethods->xWrite(real(file), octets, count / 2, at);
    }
    if (fault == DiskFault::Death) ::_exit(kDied);
    return SQLITE_IOERR_WRITE;
  }
  note("write", file);
  return real(file)->pMethods->xWrite(real(file), octets, count, at);
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  note("cut", file);
  return real(file)->pMethods->xTruncate(real(file), size);
}

int sync_file(sqlite3_file* file, int flags) {
  if (fails(true)) {
    if (state().fault.load() == DiskFault::Death) ::_exit(kDied);
    return SQLITE_IOERR_FSYNC;
  }
  return real(file)->pMethods->xSync(real(file), flags);
}

int size_of_file(sqlite3_file* file, sqlite3_int64* size) {
  return real(file)->pMethods->xFileSize(real(file), size);
}

int lock_file(sqlite3_file* file, int level) {
  return real(file)->pMethods->xLock(real(file), level);
}

int unlock_file(sqlite3_file* file, int level) {
  return real(file)->pMethods->xUnlock(real(file), level);
}

int check_lock(sqlite3_file* file, int* held) {
  return real(file)->pMethods->xCheckReservedLock(real(file), held);
}

int control_file(sqlite3_file* file, int operation, void* argument) {
  return real(file)->pMethods->xFileControl(real(file), operation, argument);
}

int sector_size(sqlite3_file* file) { return real(file)->pMethods->xSectorSize(real(file)); }

int characteristics(sqlite3_file* file) {
  return real(file)->pMethods->xDeviceCharacteristics(real(file));
}

/// Version 1: no shared memory, which the spool's exclusive mode does without.
const sqlite3_io_methods kMethods = {
    .iVersion = 1,
    .xClose = close_file,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = size_of_file,
    .xLock = lock_file,
    .xUnlock = unlock_file,
    .xCheckReservedLock = check_lock,
    .xFileControl = control_file,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
};

sqlite3_vfs* real_vfs() {
  static sqlite3_vfs* const found = sqlite3_vfs_find("unix");
  return found;
}

int open_file(sqlite3_vfs* /*vfs*/, const char* name, sqlite3_file* file, int flags,
              int* out_flags) {
  std::memset(file, 0, sizeof(File));
  reinterpret_cast<File*>(file)->name = name;
  const int code = real_vfs()->xOpen(real_vfs(), name, real(file), flags, out_flags);
  if (real(file)->pMethods != nullptr) file->pMethods = &kMethods;
  return code;
}

int remove_file(sqlite3_vfs* /*vfs*/, const char* name, int sync_folder) {
  note("remove", name);
  return real_vfs()->xDelete(real_vfs(), name, sync_folder);
}

sqlite3_vfs& fault_vfs() {
  static sqlite3_vfs vfs = [] {
    sqlite3_vfs made = *real_vfs();
    made.szOsFile = static_cast<int>(sizeof(File)) + real_vfs()->szOsFile;
    made.zName = "fault";
    made.pNext = nullptr;
    made.xOpen = open_file;
    made.xDelete = remove_file;
    return made;
  }();
  return vfs;
}

}  // namespace

FaultVfs::FaultVfs() {
  sqlite3_initialize();
  if (sqlite3_vfs_register(&fault_vfs(), 1) != SQLITE_OK) {
    throw std::runtime_error("the fault VFS cannot be registered");
  }
  disarm();
}

FaultVfs::~FaultVfs() {
  sqlite3_vfs_unregister(&fault_vfs());
  sqlite3_vfs_register(real_vfs(), 1);
}

void FaultVfs::arm(DiskFault fault, std::uint64_t nth) {
  state().operations = 0;
  state().faults = 0;
  {
    const std::lock_guard lock(state().mutex);
    state().changed.clear();
  }
  state().nth = nth;
  state().fault = fault;
}

std::uint64_t FaultVfs::operations() const { return state().operations; }

std::uint64_t FaultVfs::faults() const { return state().faults; }

std::vector<std::string> FaultVfs::changed_after_fault() const {
  const std::lock_guard lock(state().mutex);
  return state().changed;
}

}  // namespace relay::fakes
