// All tables of the queue: plain calls on one connection. Not thread-safe; transactions begin and
// end outside.
#pragma once

#include "relay/spool/acceptance.hpp"
#include "relay/spool/due_copies.hpp"
#include "relay/spool/greylist.hpp"
#include "relay/spool/outcomes.hpp"
#include "relay/spool/pause_rules.hpp"
#include "relay/spool/queue_changes.hpp"
#include "relay/spool/reports.hpp"
#include "relay/spool/resends.hpp"

namespace relay::spool {

struct TableLimits {
  std::int64_t tokens = 1'000'000;  ///< most stored senders
  std::int64_t greylist_rows = Greylist::kMaxRows;
};

struct Tables {
  Tables(Connection& connection, ContentFile& file, Transactions& transactions,
         const ports::Clock& the_clock, const TableLimits& limits);
  Tables(const Tables&) = delete;
  Tables& operator=(const Tables&) = delete;

  const ports::Clock& clock;  ///< the queue's time
  Tally tally;
  Contents contents;
  Messages messages;
  MessageReader reader;
  Tokens tokens;
  Awaiting awaiting;
  Notices notices;
  Resends resends;
  Acceptance acceptance;
  Fallbacks fallbacks;
  Reports reports;
  Outcomes outcomes;
  DueCopies due;
  QueueWalk walk;
  QueueChanges changes;
  PauseRules pauses;
  Greylist greylist;

  /// Removes expired rows, a limited number at a time. Inside a transaction.
  void remove_expired();
};

}  // namespace relay::spool
