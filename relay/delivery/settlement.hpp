// What an attempt means for the queue: delivered, due again, given up; and the DSNs that follow,
// all in one Update, so that there is never a failure without its DSN nor two of them (C8, C9).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "relay/delivery/attempt_runner.hpp"
#include "relay/delivery/bounce.hpp"
#include "relay/delivery/retry_schedule.hpp"

namespace relay::delivery {

/// One copy after its attempt; in the order of Consignment::copies.
struct SettledCopy {
  mail::OutcomeKind kind = mail::OutcomeKind::Deferred;
  ports::RecipientUpdate update;
  bool expired = false;
  bool warn = false;
};

/// A DSN written, or deliberately not.
struct DsnNote {
  mail::DsnKind kind = mail::DsnKind::Failed;
  mail::MessageId id;          ///< zero: suppressed
  std::string reason;          ///< why it was suppressed
  std::size_t recipients = 0;  ///< copies
};

struct Settlement {
  std::vector<SettledCopy> copies;
  ports::Update update;
  std::vector<DsnNote> notes;
};

/// Copies that have come to their end. Every accepted copy is in one of these, still queued, or
/// dropped by the operator.
struct Tally {
  std::uint64_t delivered = 0;
  std::uint64_t bounced = 0;     ///< failed, with a DSN
  std::uint64_t suppressed = 0;  ///< failed, and nobody may be told
};

/// Judges the outcomes. `chance` is one for all copies, so that what travelled together stays
/// together. Writes no DSN yet.
Settlement settle(const Consignment& consignment, const std::vector<mail::Outcome>& outcomes,
                  base::WallTime now, const ClockTrust& clock, double chance);

/// Of what add_bounces() has completed.
Tally tally_of(const Settlement& settlement);

/// Some copy failed or is to be warned of, and somebody may be told: the original header is needed.
bool wants_dsn(const Settlement& settlement, const Consignment& consignment);

/// Adds the DSNs to settlement.update. A message with the null sender gets none (C10), nor one
/// whose sender nobody vouches for, unless policy says so (L-6): a note tells, for nothing is
/// dropped in silence.
base::Task<> add_bounces(Settlement& settlement, const Consignment& consignment,
                         std::string header_block, base::WallTime now, ports::Signer* signer);

}  // namespace relay::delivery
