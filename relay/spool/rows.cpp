#include "relay/spool/rows.hpp"

#include <algorithm>
#include <cstring>

namespace relay::spool {

namespace {

mail::Mailbox mailbox_from(const std::string& text) {
  auto mailbox = mail::Mailbox::parse(text);
  if (!mailbox) throw DamagedValue("stored address is damaged: " + text);
  return std::move(*mailbox);
}

mail::ForwardPath forward_path_from(const std::string& text) {
  return text == "postmaster" ? mail::ForwardPath::bare_postmaster()
                              : mail::ForwardPath(mailbox_from(text));
}

template <class Enumeration>
Enumeration one_of(std::int64_t number, Enumeration last) {
  return static_cast<Enumeration>(
      std::clamp<std::int64_t>(number, 0, static_cast<std::int64_t>(last)));
}

constexpr mail::End kLastEnd = mail::End::Replaced;

bool is_known_state(std::int64_t number) {
  return number >= 0 && number <= static_cast<int>(mail::RecipientState::StandsBy);
}

mail::RecipientState sound_state(std::int64_t number, std::int64_t flags) {
  if (!is_known_state(number)) {
    throw DamagedValue("stored state is damaged: " + std::to_string(number));
  }
  return state_of(number, flags);
}

mail::Handling handling_from(std::int64_t bits, std::string reason) {
  return {.seal = (bits & kSeal) != 0,
          .risk_pool = (bits & kRiskPool) != 0,
          .new_author = (bits & kNewAuthor) != 0,
          .reason = std::move(reason)};
}

mail::AliasMark mark_from(std::int64_t bits) {
  if ((bits & kMarkOriginalTo) != 0) return mail::AliasMark::OriginalTo;
  return (bits & kMarkDeliveredTo) != 0 ? mail::AliasMark::DeliveredTo : mail::AliasMark::None;
}

}  // namespace

std::string_view blob_of(const mail::MessageId& id) {
  return {reinterpret_cast<const char*>(id.octets().data()), id.octets().size()};
}

mail::MessageId id_of(std::string_view blob) {
  std::array<std::uint8_t, 16> octets{};
  std::memcpy(octets.data(), blob.data(), std::min(blob.size(), octets.size()));
  return mail::MessageId(octets);
}

std::int64_t ms_of(base::WallTime time) { return time.time_since_epoch().count(); }

base::WallTime time_of(std::int64_t ms) { return base::WallTime(std::chrono::milliseconds(ms)); }

mail::RecipientState state_of(std::int64_t number, std::int64_t flags) {
  using mail::RecipientState;
  if (!is_known_state(number)) return RecipientState::Held;
  const auto state = static_cast<RecipientState>(number);
  const bool in_place = state == RecipientState::Waiting && (flags & kHeldInPlace) != 0;
  return in_place ? RecipientState::Held : state;
}

std::uint32_t changes_of(std::int64_t flags) { return static_cast<std::uint32_t>(flags / kChange); }

std::int64_t flags_of(const mail::AcceptedMessage& message) {
  return (message.body == mail::BodyType::EightBitMime ? kEightBit : 0) |
         (message.smtputf8 ? kSmtpUtf8 : 0) | (message.client.esmtp ? kEsmtp : 0) |
         (message.sender_authenticated ? kSenderAuthenticated : 0);
}

std::int64_t handling_of(const mail::Route& route) {
  return (route.handling.seal ? kSeal : 0) | (route.handling.risk_pool ? kRiskPool : 0) |
         (route.handling.new_author ? kNewAuthor : 0) | (route.held ? kHeldOnEntry : 0) |
         (route.mark == mail::AliasMark::OriginalTo ? kMarkOriginalTo : 0) |
         (route.mark == mail::AliasMark::DeliveredTo ? kMarkDeliveredTo : 0);
}

mail::ReversePath path_from(const std::string& text) {
  return text.empty() ? mail::ReversePath::null() : mail::ReversePath(mailbox_from(text));
}

mail::QueuedMessage message_from(const Statement& row) {
  const std::int64_t flags = row.number(3);
  mail::QueuedMessage queued;
  queued.received_at = time_of(row.number(1));
  mail::AcceptedMessage& message = queued.message;
  message.id = id_of(row.view(0));
  message.size = static_cast<std::uint64_t>(row.number(2));
  message.body = (flags & kEightBit) != 0 ? mail::BodyType::EightBitMime : mail::BodyType::SevenBit;
  message.smtputf8 = (flags & kSmtpUtf8) != 0;
  message.client.esmtp = (flags & kEsmtp) != 0;
  message.sender_authenticated = (flags & kSenderAuthenticated) != 0;
  message.reverse_path = path_from(row.text(4));
  message.client.address = row.text(5);
  message.client.port = static_cast<std::uint16_t>(row.number(6));
  message.client.helo = row.text(7);
  message.client.tls_version = row.text(8);
  message.client.tls_cipher = row.text(9);
  message.message_id = row.text(10);
  message.header_octets = static_cast<std::uint32_t>(row.number(11));
  return queued;
}

mail::QueuedRecipient recipient_from(const Statement& row) {
  const std::int64_t flags = row.number(9);
  const std::int64_t handling = row.number(10);
  mail::QueuedRecipient copy{.route = {.index = static_cast<std::uint16_t>(row.number(1)),
                                       .original = forward_path_from(row.text(2)),
                                       .target = mailbox_from(row.text(3)),
                                       .reverse_path = path_from(row.text(5)),
                                       .handling = handling_from(handling, row.text(11)),
                                       .held = (handling & kHeldOnEntry) != 0,
                                       .awaits = row.text(13),
                                       .mark = mark_from(handling),
                                       .group = static_cast<std::uint16_t>(row.number(15))},
                             .state = sound_state(row.number(6), flags),
                             .attempts = static_cast<std::uint32_t>(row.number(7)),
                             .changes = changes_of(flags),
                             .next_due = time_of(row.number(8)),
                             .warned = (flags & kWarned) != 0,
                             .possible_duplicate = (flags & kPossibleDuplicate) != 0,
                             .last = attempt_from(row, RecipientAt::kAttempt),
                             .end = one_of(row.number(14), kLastEnd),
                             .released_at = time_of(row.number(12))};
  copy.route.stands_by = copy.state == mail::RecipientState::StandsBy;
  // The lane was chosen by this column: the copy must not go to another domain.
  if (row.view(4) != copy.route.target.domain().folded()) {
    throw DamagedValue("stored destination is damaged: " + row.text(4));
  }
  return copy;
}

void show_message(ports::QueueRow& shown, const Statement& row) {
  shown.received_at = time_of(row.number(1));
  shown.size = static_cast<std::uint64_t>(row.number(2));
  shown.mail_from = row.text(4);
  shown.client = row.text(5);
  shown.helo = row.text(7);
  shown.tls = row.text(8);
  shown.message_id = row.text(10);
}

void show_recipient(ports::QueueRow& shown, const Statement& row) {
  const std::int64_t flags = row.number(9);
  const std::int64_t handling = row.number(10);
  shown.copy = {id_of(row.view(0)), static_cast<std::uint16_t>(row.number(1))};
  shown.alias = row.text(2);
  shown.target = row.text(3);
  shown.sender = row.text(5);
  shown.state = state_of(row.number(6), flags);
  shown.attempts = static_cast<std::uint32_t>(row.number(7));
  shown.next_due = time_of(row.number(8));
  shown.warned = (flags & kWarned) != 0;
  shown.possible_duplicate = (flags & kPossibleDuplicate) != 0;
  shown.handling = handling_from(handling, row.text(11));
  shown.held_on_entry = (handling & kHeldOnEntry) != 0;
  shown.released_at = time_of(row.number(12));
  shown.awaits = row.text(13);
  shown.end = one_of(row.number(14), kLastEnd);
  shown.last = attempt_from(row, RecipientAt::kAttempt);
}

mail::DeliveryAttempt attempt_from(const Statement& row, int first) {
  return {
      .at = time_of(row.number(first)),
      .host = row.text(first + 1),
      .address = row.text(first + 2),
      .port = static_cast<std::uint16_t>(row.number(first + 3)),
      .tls = row.text(first + 4),
      .tls_policy = one_of(row.number(first + 9), mail::TlsLevel::Verify),
      .tls_result = one_of(row.number(first + 10), mail::TlsResult::ValidationFailure),
      .stage = one_of(row.number(first + 5), mail::Stage::EndOfData),
      .code = static_cast<int>(row.number(first + 6)),
      .status = mail::EnhancedStatus::parse(row.view(first + 7)).value_or(mail::EnhancedStatus{}),
      .text = row.text(first + 8)};
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
      .bind(first + 8, attempt.text)
      .bind(first + 9, static_cast<std::int64_t>(attempt.tls_policy))
      .bind(first + 10, static_cast<std::int64_t>(attempt.tls_result));
}

}  // namespace relay::spool
