// SQLite's way to the disk, with faults: the real files are written, until the test wants an error.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace relay::fakes {

enum class DiskFault {
  None,
  Full,           ///< no space, on write
  WriteError,     ///< EIO, on write
  SyncError,      ///< EIO, on fsync: what was written before may be gone
  SyncErrorOnce,  ///< the same, but the next is said to be good: that is what the kernel does
  ShortWrite,     ///< EIO, after half of the octets
  Death,          ///< the process ends there: before a sync, or with half of the octets written
};

/// Exit code of a process that died of DiskFault::Death.
inline constexpr int kDied = 86;

/// While one exists, it is SQLite's default VFS. Counts every write and sync of every database and
/// log opened meanwhile; from the n-th on (counted from arm()), each that fits the fault fails
/// until disarm(). One at a time.
class FaultVfs {
 public:
  FaultVfs();
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;
  ~FaultVfs();

  void arm(DiskFault fault, std::uint64_t nth);

  void disarm() { arm(DiskFault::None, 0); }

  std::uint64_t operations() const;  ///< writes and syncs since arm()
  std::uint64_t faults() const;      ///< errors given since arm()

  /// Operations after the first error since arm(): "write queue.db", …
  std::vector<std::string> changed_after_fault() const;
};

}  // namespace relay::fakes
