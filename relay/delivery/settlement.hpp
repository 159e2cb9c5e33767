// What an attempt means for the queue: delivered, due again, given up, and whether the sender is to
// hear of it.
#pragma once

#include <string_view>
#include <vector>

#include "relay/delivery/attempt.hpp"
#include "relay/delivery/retry_schedule.hpp"

namespace relay::delivery {

/// One copy after its attempt.
struct SettledCopy {
  std::size_t at = 0;  ///< position in Consignment::copies
  mail::OutcomeKind kind = mail::OutcomeKind::Deferred;
  ports::CopyUpdate update;
  bool warn = false;         ///< it waits for so long that the sender is to know
  std::string_view silence;  ///< why the sender does not hear of a failure; "": he does
};

struct Settlement {
  std::vector<SettledCopy> copies;  ///< those that have an outcome
  ports::Update update;
};

/// Judges the outcomes there are. `chance` is one for all copies, so that what travelled together
/// stays together.
Settlement settle(const Consignment& consignment, const std::vector<CopyResult>& results,
                  base::WallTime now, const ClockTrust& clock, double chance);

}  // namespace relay::delivery
