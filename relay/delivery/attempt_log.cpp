#include "relay/delivery/attempt_log.hpp"

#include <algorithm>

#include "relay/mail/reply_text.hpp"

namespace relay::delivery {

namespace {

using base::Severity;
using mail::OutcomeKind;
using ports::Recorded;

void add_place(base::Event& event, const mail::DeliveryAttempt& attempt) {
  event.open("mx").text("host", attempt.host).text("ip", attempt.address);
  event.number("port", attempt.port).close();
  event.text("tls", attempt.tls);
  if (attempt.tls_result != mail::TlsResult::None) {
    event.text("tls_policy", mail::name(attempt.tls_policy))
        .text("tls_result", mail::name(attempt.tls_result));
  }
}

void add_reply(base::Event& event, const mail::DeliveryAttempt& attempt) {
  event.open("smtp")
      .text("stage", mail::name(attempt.stage))
      .number("code", attempt.code)
      .text("enhanced", attempt.status.to_string())
      .text("text", mail::words_of(attempt))
      .close();
}

std::string_view name(Recorded recorded) {
  switch (recorded) {
    case Recorded::Yes:
      return "yes";
    case Recorded::DespiteHold:
      return "although it was held meanwhile";
    case Recorded::StaysHeld:
      return "stays held";
    case Recorded::StaysDue:
      return "stays due: it was released or retried meanwhile";
    case Recorded::TooLate:
      return "too late: it was ended meanwhile";
  }
  return "yes";
}

/// The copy was ended because the fallback of its alias took over.
bool is_replaced(const ports::RecordAnswer& answer, std::uint16_t index) {
  return std::ranges::any_of(answer.taken_over, [&](const ports::TakeOver& taken) {
    return std::ranges::find(taken.replaced, index) != taken.replaced.end();
  });
}

void log_fallbacks(base::Log& log, const mail::MessageId& id, const ports::RecordAnswer& answer,
                   base::WallTime now) {
  for (const ports::TakeOver& taken : answer.taken_over) {
    std::string targets;
    for (const std::string& target : taken.targets) {
      targets += (targets.empty() ? "" : ", ") + target;
    }
    base::Event event("fallback", now, Severity::Warning);
    event.text("msg_id", id.to_string()).text("rcpt", taken.alias).text("target", targets);
    event.text("reason", taken.was_late ? "nothing delivered in time" : "all others failed");
    event.number("replaced", static_cast<std::int64_t>(taken.replaced.size()));
    log.write(std::move(event));
  }
}

void log_attempt(base::Log& log, const Consignment& consignment, const AttemptReport& report,
                 const SettledCopy& settled, Recorded recorded, bool replaced, base::WallTime now) {
  const auto& copy = consignment.queued->recipients[consignment.copies[settled.at]];
  const auto& attempts = settled.update.attempts;
  const auto& attempt = attempts.back();
  base::Event event("attempt", now,
                    settled.kind == OutcomeKind::Delivered ? Severity::Info : Severity::Warning);
  const mail::AcceptedMessage& message = consignment.queued->message;
  event.text("msg_id", message.id.to_string());
  if (!message.message_id.empty()) event.text("message_id", "<" + message.message_id + ">");
  event.number("attempt", settled.update.attempts_before + 1)
      .text("rcpt", copy.route.original.to_string())
      .text("target", copy.route.target.to_string())
      .text("reverse_path", copy.route.reverse_path.to_string())
      .text("handling", mail::name(copy.route.handling));
  add_place(event, attempt);
  add_reply(event, attempt);
  event.text("outcome", mail::name(settled.kind));
  if (attempts.size() > 1) {
    event.number("hosts", static_cast<std::int64_t>(attempts.size()));
    event.text("first_host", attempts.front().host);
  }
  if (settled.update.end == mail::End::Expired) event.flag("expired", true);
  if (settled.update.possible_duplicate) event.flag("possible_duplicate", true);
  if (recorded != Recorded::Yes) event.text("recorded", name(recorded));
  if (replaced) {
    event.flag("replaced", true);
  } else if (settled.update.state == mail::RecipientState::Waiting) {
    event.text("next", base::rfc3339(now + settled.update.retry_after));
  }
  event.open("ms")
      .number("connect", report.connecting.count())
      .number("send", report.sending.count())
      .close();
  log.write(std::move(event));
}

void log_protocol_error(base::Log& log, const Consignment& consignment,
                        const mail::DeliveryAttempt& attempt, base::WallTime now) {
  base::Event event("protocol_error", now, Severity::Error);
  event.text("msg_id", consignment.queued->message.id.to_string());
  add_place(event, attempt);
  add_reply(event, attempt);
  log.write(std::move(event));
}

void log_local_trouble(base::Log& log, const Consignment& consignment, ports::IoError error,
                       base::WallTime now) {
  log.write(std::move(base::Event("local_trouble", now, Severity::Error)
                          .text("msg_id", consignment.queued->message.id.to_string())
                          .text("error", ports::describe(error))));
}

/// `host_failed` for each host before the last; the last one is in `attempt`.
void log_hosts_before(base::Log& log, const Consignment& consignment,
                      const std::vector<mail::DeliveryAttempt>& attempts, base::WallTime now) {
  for (std::size_t i = 0; i + 1 < attempts.size(); ++i) {
    base::Event event("host_failed", now, Severity::Info);
    event.text("msg_id", consignment.queued->message.id.to_string());
    add_place(event, attempts[i]);
    add_reply(event, attempts[i]);
    log.write(std::move(event));
  }
}

void log_suppressed(base::Log& log, const mail::AcceptedMessage& message, std::string_view kind,
                    std::size_t copies, std::string_view reason, base::WallTime now) {
  log.write(std::move(base::Event("suppressed", now, Severity::Warning)
                          .text("msg_id", message.id.to_string())
                          .text("kind", kind)
                          .number("recipients", static_cast<std::int64_t>(copies))
                          .text("addressee", message.reverse_path.to_string())
                          .text("reason", reason)));
}

void log_completed(base::Log& log, const Consignment& consignment, const Settlement& settlement,
                   base::WallTime now) {
  const mail::AcceptedMessage& message = consignment.queued->message;
  std::size_t delivered = 0;
  std::size_t failed = 0;
  for (const auto& settled : settlement.copies) {
    delivered += settled.update.state == mail::RecipientState::Delivered ? 1 : 0;
    failed += settled.update.state == mail::RecipientState::Failed ? 1 : 0;
  }
  const auto age = now - consignment.queued->received_at;
  log.write(std::move(base::Event("completed", now)
                          .text("msg_id", message.id.to_string())
                          .number("delivered", static_cast<std::int64_t>(delivered))
                          .number("failed", static_cast<std::int64_t>(failed))
                          .number("age_ms", age.count())));
}

}  // namespace

void log_settlement(base::Log& log, const Consignment& consignment, const AttemptReport& report,
                    const Settlement& settlement, const ports::RecordAnswer& answer,
                    base::WallTime now) {
  std::size_t silent = 0;
  std::string_view silence;
  for (std::size_t i = 0; i < settlement.copies.size(); ++i) {
    const SettledCopy& settled = settlement.copies[i];
    const auto& attempts = settled.update.attempts;
    if (i == 0) log_hosts_before(log, consignment, attempts, now);
    for (const mail::DeliveryAttempt& fault : report.copies[settled.at].faults) {
      log_protocol_error(log, consignment, fault, now);
    }
    log_attempt(log, consignment, report, settled, answer.copies[i],
                is_replaced(answer, settled.update.index), now);
    if (settled.silence.empty() || answer.copies[i] != Recorded::Yes) continue;
    ++silent;
    silence = settled.silence;
  }
  if (const auto error = report.feedback.trouble_here) {
    log_local_trouble(log, consignment, *error, now);
  }
  const mail::AcceptedMessage& message = consignment.queued->message;
  log_fallbacks(log, message.id, answer, now);
  if (silent > 0 && answer.taken_over.empty())
    log_suppressed(log, message, "failed", silent, silence, now);
  if (answer.message_ended) log_completed(log, consignment, settlement, now);
}

void log_notes(base::Log& log, const mail::AcceptedMessage& message,
               const std::vector<DsnNote>& notes, base::WallTime now) {
  for (const DsnNote& note : notes) {
    const std::string_view kind = note.failed > 0 ? "failed" : "delayed";
    if (!note.reason.empty()) {
      log_suppressed(log, message, kind, note.failed + note.delayed, note.reason, now);
      continue;
    }
    base::Event event("dsn", now);
    event.text("msg_id", message.id.to_string())
        .text("kind", kind)
        .number("recipients", static_cast<std::int64_t>(note.failed + note.delayed))
        .text("dsn_id", note.id.to_string())
        .text("addressee", note.to_postmaster ? "postmaster" : message.reverse_path.to_string());
    log.write(std::move(event));
  }
}

void log_spool_trouble(base::Log& log, const mail::MessageId& id, ports::SpoolError error,
                       std::string_view consequence, base::WallTime now) {
  log.write(std::move(base::Event("spool_trouble", now, Severity::Error)
                          .text("msg_id", id.to_string())
                          .text("error", ports::describe(error))
                          .text("consequence", consequence)));
}

}  // namespace relay::delivery
