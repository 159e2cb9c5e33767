// What an attempt means for the queue: delivered, due again or given up, and whether the sender is
// told.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "relay/delivery/attempt.hpp"
#include "relay/delivery/retry_schedule.hpp"
#include "relay/ports/copy_update.hpp"

namespace relay::delivery {

/// One copy after its attempt.
struct SettledCopy {
  std::size_t at = 0;  ///< position in Consignment::copies
  mail::OutcomeKind kind = mail::OutcomeKind::Deferred;
  ports::CopyUpdate update;
  bool warn = false;         ///< a delay notice is due
  std::string_view silence;  ///< why the sender is not told of the failure; "": it is
};

struct Settlement {
  std::vector<SettledCopy> copies;  ///< copies with an outcome
  ports::Update update;
};

/// Judges the outcomes. `chance` is the same for all copies, so that copies of one attempt stay
/// together.
Settlement settle(const Consignment& consignment, const std::vector<CopyResult>& results,
                  base::WallTime now, const ClockTrust& clock, double chance);

/// Called with the IP address of a host that took a copy with a non-null sender: that host may
/// verify the sender with us.
using OnTaken = std::function<void(const std::string& address)>;

/// Calls `on_taken`, which may be empty, for each such copy.
void tell_of_takers(const Consignment& consignment, const Settlement& settlement,
                    const OnTaken& on_taken);

}  // namespace relay::delivery
