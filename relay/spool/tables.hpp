// Everything that stands between the rows and those who ask: plain calls on one connection. Knows
// no threads, transactions begin and end outside.
#pragma once

#include "relay/spool/acceptance.hpp"
#include "relay/spool/due_copies.hpp"
#include "relay/spool/greylist.hpp"
#include "relay/spool/outcomes.hpp"
#include "relay/spool/pause_rules.hpp"
#include "relay/spool/queue_changes.hpp"
#include "relay/spool/reports.hpp"

namespace relay::spool {

struct TableLimits {
  std::int64_t tokens = 1'000'000;  ///< stored senders at most
  std::int64_t greylist_rows = Greylist::kMaxRows;
};

struct Tables {
  Tables(Connection& connection, ContentFile& file, Transactions& transactions,
         const ports::Clock& the_clock, const TableLimits& limits);
  Tables(const Tables&) = delete;
  Tables& operator=(const Tables&) = delete;

  const ports::Clock& clock;  ///< what the store takes for now
  Tally tally;
  Contents contents;
  Messages messages;
  MessageReader reader;
  Tokens tokens;
  Awaiting awaiting;
  Notices notices;
  Acceptance acceptance;
  Fallbacks fallbacks;
  Reports reports;
  Outcomes outcomes;
  DueCopies due;
  QueueWalk walk;
  QueueChanges changes;
  PauseRules pauses;
  Greylist greylist;

  /// Inside a transaction; what has expired, a part of it at a time.
  void remove_expired();
};

}  // namespace relay::spool
