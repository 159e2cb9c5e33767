// What an attempt means for the queue: delivered, due again, given up, and whether the sender is to
// hear of it.
#pragma once

#include <functional>
#include <string>
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

/// Is told the IP address of a host that has taken a copy under a sender, whom it may ask us about.
using OnTaken = std::function<void(const std::string& address)>;

/// Tells of each copy that was so taken; `on_taken` may be empty.
void tell_of_takers(const Consignment& consignment, const Settlement& settlement,
                    const OnTaken& on_taken);

}  // namespace relay::delivery
