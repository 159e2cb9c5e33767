#include "relay/spool/rows.hpp"

#include <algorithm>
#include <cstring>

namespace relay::spool {

namespace {

/// What we stored was valid when it came; if it is not now, the row is damaged.
mail::Mailbox mailbox_from(const std::string& text) {
  auto mailbox = mail::Mailbox::parse(text);
  if (!mailbox) throw DatabaseError(SQLITE_CORRUPT, "stored address is damaged: " + text);
  return std::move(*mailbox);
}

mail::ReversePath path_from(const std::string& text) {
  return text.empty() ? mail::ReversePath::null() : mail::ReversePath(mailbox_from(text));
}

mail::ForwardPath forward_path_from(const std::string& text) {
  return text == "postmaster" ? mail::ForwardPath::bare_postmaster()
                              : mail::ForwardPath(mailbox_from(text));
}

mail::RecipientState state_from(std::int64_t number) {
  if (number < 0 || number > static_cast<std::int64_t>(mail::RecipientState::Failed)) {
    throw DatabaseError(SQLITE_CORRUPT, "stored state is damaged: " + std::to_string(number));
  }
  return static_cast<mail::RecipientState>(number);
}

}  // namespace

std::string_view blob_of(const mail::MessageId& id) {
  return {reinterpret_cast<const char*>(id.octets().data()), id.octets().size()};
}

mail::MessageId id_of(const std::string& blob) {
  std::array<std::uint8_t, 16> octets{};
  std::memcpy(octets.data(), blob.data(), std::min(blob.size(), octets.size()));
  return mail::MessageId(octets);
}

std::int64_t ms_of(base::WallTime time) { return time.time_since_epoch().count(); }

base::WallTime time_of(std::int64_t ms) { return base::WallTime(std::chrono::milliseconds(ms)); }

std::int64_t flags_of(const mail::AcceptedMessage& message) {
  return (message.body == mail::BodyType::EightBitMime ? kEightBit : 0) |
         (message.smtputf8 ? kSmtpUtf8 : 0) | (message.client.esmtp ? kEsmtp : 0) |
         (message.sender_authenticated ? kSenderAuthenticated : 0);
}

std::int64_t handling_of(const mail::Route& route) {
  return (route.handling.seal ? kSeal : 0) | (route.handling.risk_pool ? kRiskPool : 0) |
         (route.handling.new_author ? kNewAuthor : 0) | (route.held ? kHeldOnEntry : 0);
}

mail::AcceptedMessage message_from(const Statement& row, int first) {
  const std::int64_t flags = row.number(first + 3);
  mail::AcceptedMessage message;
  message.id = id_of(row.text(first));
  message.received_at = time_of(row.number(first + 1));
  message.reverse_path = path_from(row.text(first + 2));
  message.body = (flags & kEightBit) != 0 ? mail::BodyType::EightBitMime : mail::BodyType::SevenBit;
  message.smtputf8 = (flags & kSmtpUtf8) != 0;
  message.client.esmtp = (flags & kEsmtp) != 0;
  message.client.address = row.text(first + 4);
  message.client.port = static_cast<std::uint16_t>(row.number(first + 5));
  message.client.helo = row.text(first + 6);
  message.client.tls_version = row.text(first + 7);
  message.client.tls_cipher = row.text(first + 8);
  message.sender_authenticated = (flags & kSenderAuthenticated) != 0;
  message.size = static_cast<std::uint64_t>(row.number(first + 9));
  message.header_octets = static_cast<std::uint32_t>(row.number(first + 10));
  message.trace_fields = row.text(first + 11);
  message.seal_fields = row.text(first + 12);
  message.rewritten_head = row.text(first + 13);
  return message;
}

mail::DeliveryAttempt attempt_from(const Statement& row, int first) {
  mail::DeliveryAttempt attempt;
  attempt.at = time_of(row.number(first));
  attempt.host = row.text(first + 1);
  attempt.address = row.text(first + 2);
  attempt.port = static_cast<std::uint16_t>(row.number(first + 3));
  attempt.tls = row.text(first + 4);
  attempt.stage = static_cast<mail::Stage>(std::clamp<std::int64_t>(
      row.number(first + 5), 0, static_cast<std::int64_t>(mail::Stage::EndOfData)));
  attempt.code = static_cast<int>(row.number(first + 6));
  attempt.status =
      mail::EnhancedStatus::parse(row.text(first + 7)).value_or(mail::EnhancedStatus{});
  attempt.text = row.text(first + 8);
  return attempt;
}

mail::QueuedRecipient recipient_from(const Statement& row, int first) {
  const std::int64_t flags = row.number(first + 7);
  const std::int64_t handling = row.number(first + 8);
  return {.route = {.index = static_cast<std::uint16_t>(row.number(first)),
                    .original = forward_path_from(row.text(first + 1)),
                    .target = mailbox_from(row.text(first + 2)),
                    .reverse_path = path_from(row.text(first + 3)),
                    .handling = {.seal = (handling & kSeal) != 0,
                                 .risk_pool = (handling & kRiskPool) != 0,
                                 .new_author = (handling & kNewAuthor) != 0,
                                 .reason = row.text(first + 9)},
                    .held = (handling & kHeldOnEntry) != 0,
                    .awaits = row.text(first + 11)},
          .state = state_from(row.number(first + 4)),
          .attempts = static_cast<std::uint32_t>(row.number(first + 5)),
          .next_due = time_of(row.number(first + 6)),
          .warned = (flags & kWarned) != 0,
          .possible_duplicate = (flags & kPossibleDuplicate) != 0,
          .last = attempt_from(row, first + 12),
          .released_at = time_of(row.number(first + 10))};
}

void bind_attempt(Statement& statement, int first, const mail::DeliveryAttempt& attempt,
                  const std::string& status) {
  statement.bind(first, ms_of(attempt.at))
      .bind(first + 1, attempt.host)
      .bind(first + 2, attempt.address)
      .bind(first + 3, std::int64_t{attempt.port})
      .bind(first + 4, attempt.tls)
      .bind(first + 5, static_cast<std::int64_t>(attempt.stage))
      .bind(first + 6, std::int64_t{attempt.code})
      .bind(first + 7, status)
      .bind(first + 8, attempt.text);
}

}  // namespace relay::spool
