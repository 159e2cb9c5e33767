// The delivery side's lines in the log.
#pragma once

#include "relay/base/log.hpp"
#include "relay/delivery/report_writer.hpp"
#include "relay/delivery/settlement.hpp"

namespace relay::delivery {

/// `attempt` for each copy, `protocol_error` where a server complained of us, `local_trouble` where
/// this host could not open a connection, `suppressed` where a failure is told to nobody, and
/// `completed` when the last copy of the message has ended.
void log_settlement(base::Log& log, const Consignment& consignment, const AttemptReport& report,
                    const Settlement& settlement, const ports::RecordAnswer& answer,
                    base::WallTime now);

/// `dsn` for each DSN that was written, `suppressed` with the reason for those that were not: what
/// happens to mail is never without a line.
void log_notes(base::Log& log, const mail::AcceptedMessage& message,
               const std::vector<DsnNote>& notes, base::WallTime now);

/// A message that cannot be sent as it is stored, or another trouble with the queue.
void log_spool_trouble(base::Log& log, const mail::MessageId& id, ports::SpoolError error,
                       std::string_view consequence, base::WallTime now);

}  // namespace relay::delivery
