// Values of the mail room as columns and back.
#pragma once

#include <string>
#include <string_view>

#include "relay/mail/message.hpp"
#include "relay/ports/operator_queue.hpp"
#include "relay/spool/sqlite_handle.hpp"

namespace relay::spool {

// Bits of message.flags, recipient.flags and recipient.handling.
inline constexpr std::int64_t kEightBit = 1;
inline constexpr std::int64_t kSmtpUtf8 = 2;
inline constexpr std::int64_t kEsmtp = 4;
inline constexpr std::int64_t kSenderAuthenticated = 8;
inline constexpr std::int64_t kDelayTold = 16;  ///< a delay notice of the message went out
inline constexpr std::int64_t kWarned = 1;
inline constexpr std::int64_t kPossibleDuplicate = 2;
/// Held, although its state says that it waits: so it keeps its place in the indexes of what waits,
/// which lies in another page for each copy. Holding a million would write all of them.
inline constexpr std::int64_t kHeldInPlace = 4;
/// Failed, and the sender is not told as long as a fallback may take over.
inline constexpr std::int64_t kUntold = 8;
inline constexpr std::int64_t kSeal = 1;
inline constexpr std::int64_t kRiskPool = 2;  ///< stands as a number in the index of lanes, too
inline constexpr std::int64_t kNewAuthor = 4;
inline constexpr std::int64_t kHeldOnEntry = 8;
inline constexpr std::int64_t kMarkOriginalTo = 16;
inline constexpr std::int64_t kMarkDeliveredTo = 32;

inline constexpr const char* kMessageColumns =
    "id, received_ms, size, flags, reverse_path, client, client_port, helo, tls_version, "
    "tls_cipher, message_id, header_octets";
inline constexpr const char* kAttemptColumns =
    "at_ms, host, address, port, tls, stage, code, status, reply, tls_policy, tls_result";
/// kAttemptColumns at the end.
inline constexpr const char* kRecipientColumns =
    "id, idx, original, target, destination, reverse_path, state, attempts, next_due_ms, flags, "
    "handling, reason, released_ms, awaits, ended, fallback_group, "
    "at_ms, host, address, port, tls, stage, code, status, reply, tls_policy, tls_result";

/// Places of some of kRecipientColumns.
struct RecipientAt {
  static constexpr int kId = 0, kIndex = 1, kOriginal = 2, kTarget = 3, kState = 6, kAttempts = 7,
                       kNextDue = 8, kFlags = 9, kAwaits = 13, kAttempt = 16, kHost = 17,
                       kStatus = 23;
};

std::string_view blob_of(const mail::MessageId& id);
mail::MessageId id_of(std::string_view blob);
std::int64_t ms_of(base::WallTime time);
base::WallTime time_of(std::int64_t ms);

/// From the columns recipient.state and recipient.flags. What no program has stored counts as held:
/// such a copy is neither sent nor forgotten.
mail::RecipientState state_of(std::int64_t number, std::int64_t flags);

/// The columns message.flags and recipient.handling.
std::int64_t flags_of(const mail::AcceptedMessage& message);
std::int64_t handling_of(const mail::Route& route);

/// A reverse-path as it was stored. Throws DamagedValue.
mail::ReversePath path_from(const std::string& text);

// From a row of kMessageColumns and kRecipientColumns. What was stored was valid when it came:
// where it is not now, the row is damaged, and DamagedValue is thrown.
mail::AcceptedMessage message_from(const Statement& row);
mail::QueuedRecipient recipient_from(const Statement& row);

// The same as it lies there, for the operator; nothing is thrown.
void show_message(ports::QueueRow& shown, const Statement& row);
void show_recipient(ports::QueueRow& shown, const Statement& row);

/// kAttemptColumns, from `first`.
mail::DeliveryAttempt attempt_from(const Statement& row, int first);

/// Binds kAttemptColumns, from position `first`. `status` is bound by reference.
void bind_attempt(Statement& statement, int first, const mail::DeliveryAttempt& attempt,
                  const std::string& status);

}  // namespace relay::spool
