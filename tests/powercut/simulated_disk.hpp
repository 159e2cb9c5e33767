// A disk in memory, as SQLite sees one (a VFS), that remembers everything done to it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "relay/base/ulid.hpp"

struct sqlite3_vfs;

namespace relay::powercut {

/// What the program had promised, or heard, at a moment between two operations of the disk.
enum class Fact : std::uint8_t {
  Acknowledged,    ///< 250 was said for the message; `index` is the number of its copies
  TokenGiven,      ///< with it: an SRS address with a stored sender, named like the message
  RemoteAccepted,  ///< the next hop has taken the copy
  Ending,          ///< record() is asked to close the copy as failed, with its DSN
  Recorded,        ///< record() has answered: the copy is closed
};

struct Operation {
  enum class Kind : std::uint8_t { Write, Truncate, Sync, Delete, Fact };

  Kind kind = Kind::Write;
  std::string file;
  std::uint64_t offset = 0;  ///< of Write; the new size for Truncate
  std::string octets;        ///< of Write
  Fact fact = Fact::Acknowledged;
  base::Ulid id;            ///< of Fact
  std::uint16_t index = 0;  ///< of Fact: the copy
  base::Ulid dsn;           ///< of Ending: the message that tells of it
};

using Files = std::map<std::string, std::string>;

/// SQLite's default VFS while it exists; one at a time may be the default. Thread-safe.
class SimulatedDisk {
 public:
  SimulatedDisk();
  SimulatedDisk(const SimulatedDisk&) = delete;
  SimulatedDisk& operator=(const SimulatedDisk&) = delete;
  ~SimulatedDisk();

  /// Replaces everything on it; no file may be open.
  void load(Files files);

  void note(Fact fact, const base::Ulid& id, std::uint16_t index = 0, const base::Ulid& dsn = {});

  /// What happened so far; empties the memory of it.
  std::vector<Operation> take_log();

  void remember(bool on) { remembers_ = on; }  ///< for replaying, which needs no log

  struct Calls;  ///< what SQLite calls

 private:
  friend struct Calls;

  std::mutex mutex_;
  Files files_;
  std::vector<Operation> log_;
  bool remembers_ = true;
  std::unique_ptr<sqlite3_vfs> vfs_;
};

}  // namespace relay::powercut
