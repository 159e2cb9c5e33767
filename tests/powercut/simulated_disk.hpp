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

/// A request, promise or answer between two operations of the disk. A request may have been carried
/// out or not; an answered one has been.
struct Fact {
  enum class Kind : std::uint8_t {
    Acknowledged,  ///< 250 was said for the message, with copies in these `states`
    TokenGiven,    ///< with it: an SRS address with a stored sender, named like the message
    Remembered,    ///< with it: the message is known if it is sent again
    Asked,         ///< to bring the copy into `state`
    Answered,
    DebtAsked,  ///< to end the copy with the debt of a DSN
    DebtAnswered,
    PayAsked,  ///< to put the message `dsn` in the place of the copy's notice
    PayAnswered,
    PauseAsked,  ///< for the rule named `text`: to set it, or (`off`) to take it away
    PauseAnswered,
  };

  enum class State : std::uint8_t { Waiting, Held, Ended };

  Kind kind = Kind::Acknowledged;
  base::Ulid id;
  std::uint16_t index = 0;
  State state = State::Waiting;
  std::vector<State> states;
  base::Ulid dsn;
  std::string text;
  bool off = false;
};

struct Operation {
  enum class Kind : std::uint8_t { Write, Truncate, Sync, Delete, Fact };

  Kind kind = Kind::Write;
  std::string file;
  std::uint64_t offset = 0;  ///< of Write; the new size for Truncate
  std::string octets;        ///< of Write
  Fact fact;                 ///< of Fact
};

using Files = std::map<std::string, std::string>;

/// How a disk keeps in mind what is done to it: the honest one in its order.
using Remembering = void(std::vector<Operation>& log, Operation operation);
void remember_honestly(std::vector<Operation>& log, Operation operation);

/// SQLite's default VFS while it exists; one at a time may be the default. Thread-safe.
class SimulatedDisk {
 public:
  explicit SimulatedDisk(Remembering* remembering = remember_honestly);
  SimulatedDisk(const SimulatedDisk&) = delete;
  SimulatedDisk& operator=(const SimulatedDisk&) = delete;
  ~SimulatedDisk();

  /// Replaces everything on it; no file may be open.
  void load(Files files);

  void note(Fact fact);

  /// As they are now.
  Files files();

  /// The events so far; forgets them.
  std::vector<Operation> take_log();

  void remember(bool on) { remembers_ = on; }  ///< for replaying, which needs no log

  struct Calls;  ///< what SQLite calls

 private:
  friend struct Calls;

  std::mutex mutex_;
  Files files_;
  std::vector<Operation> log_;
  bool remembers_ = true;
  Remembering* const remembering_;
  std::unique_ptr<sqlite3_vfs> vfs_;
};

}  // namespace relay::powercut
