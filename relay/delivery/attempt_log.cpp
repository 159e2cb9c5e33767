#include "relay/delivery/attempt_log.hpp"

#include <algorithm>

namespace relay::delivery {

namespace {

using base::Severity;
using mail::OutcomeKind;

void log_attempt(base::Log& log, const Consignment& consignment, std::size_t i,
                 const AttemptReport& report, const SettledCopy& settled, base::WallTime now) {
  const auto& copy = consignment.queued->recipients[consignment.copies[i]];
  const auto& attempt = settled.update.attempt;
  base::Event event("attempt", now,
                    settled.kind == OutcomeKind::Delivered ? Severity::Info : Severity::Warning);
  event.text("msg_id", consignment.queued->message.id.to_string())
      .number("attempt", settled.update.attempts)
      .text("rcpt", copy.route.original.to_string())
      .text("target", copy.route.target.to_string())
      .text("reverse_path", copy.route.reverse_path.to_string())
      .text("handling", mail::name(copy.route.handling));
  event.open("mx").text("host", attempt.host).text("ip", attempt.address);
  event.number("port", attempt.port).close();
  event.text("tls", attempt.tls);
  event.open("smtp")
      .text("stage", mail::name(attempt.stage))
      .number("code", attempt.code)
      .text("enhanced", attempt.status.to_string())
      .text("text", attempt.text)
      .close();
  event.text("outcome", mail::name(settled.kind));
  if (settled.expired) event.flag("expired", true);
  if (settled.update.possible_duplicate) event.flag("possible_duplicate", true);
  if (settled.update.state == mail::RecipientState::Waiting) {
    event.text("next", base::rfc3339(settled.update.next_due));
  }
  event.open("ms")
      .number("connect", report.connecting.count())
      .number("send", report.sending.count())
      .close();
  log.write(std::move(event));
}

/// `dsn`, or `suppressed` with the reason: what happens to mail is never without a line.
void log_note(base::Log& log, const mail::AcceptedMessage& message, const DsnNote& note,
              base::WallTime now) {
  const bool written = note.reason.empty();
  base::Event event(written ? "dsn" : "suppressed", now,
                    written ? base::Severity::Info : base::Severity::Warning);
  event.text("msg_id", message.id.to_string())
      .text("kind", note.kind == mail::DsnKind::Failed ? "failed" : "delayed")
      .number("recipients", static_cast<std::int64_t>(note.recipients));
  if (written) event.text("dsn_id", note.id.to_string());
  event.text("addressee", message.reverse_path.to_string());
  if (!written) event.text("reason", note.reason);
  log.write(std::move(event));
}

void log_completed(base::Log& log, const Consignment& consignment, const Settlement& settlement,
                   base::WallTime now) {
  const auto& [message, recipients] = *consignment.queued;
  std::size_t open = 0;
  for (const auto& copy : recipients) open += mail::is_final(copy.state) ? 0 : 1;
  std::size_t delivered = 0;
  std::size_t failed = 0;
  for (const auto& settled : settlement.copies) {
    delivered += settled.update.state == mail::RecipientState::Delivered ? 1 : 0;
    failed += settled.update.state == mail::RecipientState::Failed ? 1 : 0;
  }
  if (delivered + failed < open) return;
  const auto age = now - message.received_at;
  log.write(std::move(base::Event("completed", now)
                          .text("msg_id", message.id.to_string())
                          .number("delivered", static_cast<std::int64_t>(delivered))
                          .number("failed", static_cast<std::int64_t>(failed))
                          .number("age_ms", age.count())));
}

}  // namespace

void log_settlement(base::Log& log, const Consignment& consignment, const AttemptReport& report,
                    const Settlement& settlement, base::WallTime now) {
  for (std::size_t i = 0; i < settlement.copies.size(); ++i) {
    log_attempt(log, consignment, i, report, settlement.copies[i], now);
  }
  for (const DsnNote& note : settlement.notes) {
    log_note(log, consignment.queued->message, note, now);
  }
  log_completed(log, consignment, settlement, now);
}

void log_spool_trouble(base::Log& log, const mail::MessageId& id, ports::SpoolError error,
                       std::string_view consequence, base::WallTime now) {
  log.write(std::move(base::Event("spool_trouble", now, Severity::Error)
                          .text("msg_id", id.to_string())
                          .text("error", ports::describe(error))
                          .text("consequence", consequence)));
}

}  // namespace relay::delivery
