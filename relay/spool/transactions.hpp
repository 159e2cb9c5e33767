// Where transactions begin and end, and who hears of it.
#pragma once

#include <vector>

#include "relay/spool/sqlite_handle.hpp"

namespace relay::spool {

/// Keeps something beside the rows that must agree with them.
class Participant {
 public:
  virtual ~Participant() = default;

  /// The last chance to write. Throws DatabaseError.
  virtual void before_commit() {}

  /// `on_disk`: and synced, with everything before it.
  virtual void committed(bool on_disk) { static_cast<void>(on_disk); }

  virtual void rolled_back() {}
};

/// One at a time. Everything throws DatabaseError; who catches it rolls back.
class Transactions {
 public:
  explicit Transactions(Connection& connection);

  void add(Participant& participant) { participants_.push_back(&participant); }

  /// Without a sync the commit is in the log all the same, and the next that is synced takes it to
  /// the disk with it: all before it is there, too.
  void begin(bool synced = true);
  void commit();
  void roll_back() noexcept;

 private:
  Connection& connection_;
  std::vector<Participant*> participants_;
  Statement begin_, commit_;
  bool syncs_ = true;
};

}  // namespace relay::spool
