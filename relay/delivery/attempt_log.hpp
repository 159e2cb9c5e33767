// The delivery side's lines in the log (operator.md §5).
#pragma once

#include "relay/base/log.hpp"
#include "relay/delivery/settlement.hpp"

namespace relay::delivery {

/// `attempt` per copy, `dsn` per DSN written or suppressed, and `completed` when this attempt ended
/// the last open copy of its message.
void log_settlement(base::Log& log, const Consignment& consignment, const AttemptReport& report,
                    const Settlement& settlement, base::WallTime now);

/// A message that cannot be sent as it is stored (K-5), or another trouble with the spool.
void log_spool_trouble(base::Log& log, const mail::MessageId& id, ports::SpoolError error,
                       std::string_view consequence, base::WallTime now);

}  // namespace relay::delivery
