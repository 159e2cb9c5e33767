// Where transactions begin and end, and the participants that are told.
#pragma once

#include <vector>

#include "relay/spool/sqlite_handle.hpp"

namespace relay::spool {

/// Keeps state in memory that must agree with the rows.
class Participant {
 public:
  virtual ~Participant() = default;

  /// Called right before the commit, the last chance to write. Throws DatabaseError.
  virtual void before_commit() {}

  /// `on_disk`: this commit and all before it are synced.
  virtual void committed(bool on_disk) { static_cast<void>(on_disk); }

  virtual void rolled_back() {}
};

/// One transaction at a time. Every function throws DatabaseError; the caller that catches it rolls
/// back.
class Transactions {
 public:
  explicit Transactions(Connection& connection);

  void add(Participant& participant) { participants_.push_back(&participant); }

  /// Not synced: the commit is in the log but not yet safe; the next synced commit makes it
  /// durable.
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
