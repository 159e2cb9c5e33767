#include "relay/spool/transactions.hpp"

namespace relay::spool {

Transactions::Transactions(Connection& connection)
    : connection_(connection),
      begin_(connection.raw(), "BEGIN IMMEDIATE"),
      commit_(connection.raw(), "COMMIT") {}

void Transactions::begin(bool synced) {
  if (synced != syncs_) {
    connection_.execute(synced ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    syncs_ = synced;
  }
  begin_.run();
}

void Transactions::commit() {
  for (Participant* participant : participants_) participant->before_commit();
  commit_.run();
  for (Participant* participant : participants_) participant->committed(syncs_);
}

void Transactions::roll_back() noexcept {
  if (sqlite3_get_autocommit(connection_.raw()) == 0) {
    sqlite3_exec(connection_.raw(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
  for (Participant* participant : participants_) participant->rolled_back();
}

}  // namespace relay::spool
