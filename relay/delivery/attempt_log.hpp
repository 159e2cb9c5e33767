// Log events of the delivery side.
#pragma once

#include "relay/base/log.hpp"
#include "relay/delivery/report_writer.hpp"
#include "relay/delivery/settlement.hpp"

namespace relay::delivery {

/// Writes `attempt` for each copy, `host_failed` for hosts tried before, `protocol_error` if the
/// server complained about our commands, `local_trouble` if this host could not open a connection,
/// `fallback` if a fallback takes over, `suppressed` if nobody is told of a failure, and
/// `completed` when the last copy of the message has ended.
void log_settlement(base::Log& log, const Consignment& consignment, const AttemptReport& report,
                    const Settlement& settlement, const ports::RecordAnswer& answer,
                    base::WallTime now);

/// Writes `dsn` for each DSN, and `suppressed` with the reason for each that was not written.
void log_notes(base::Log& log, const mail::AcceptedMessage& message,
               const std::vector<DsnNote>& notes, base::WallTime now);

/// `spool_trouble`: the stored message cannot be read, or another error of the queue.
void log_spool_trouble(base::Log& log, const mail::MessageId& id, ports::SpoolError error,
                       std::string_view consequence, base::WallTime now);

}  // namespace relay::delivery
