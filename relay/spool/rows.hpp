// Converts values of the mail room to columns and back.
#pragma once

#include <string>
#include <string_view>

#include "relay/mail/message.hpp"
#include "relay/ports/queue_rows.hpp"
#include "relay/spool/sqlite_handle.hpp"

namespace relay::spool {

// Bits of message.flags, recipient.flags and recipient.handling.
inline constexpr std::int64_t kEightBit = 1;
inline constexpr std::int64_t kSmtpUtf8 = 2;
inline constexpr std::int64_t kEsmtp = 4;
inline constexpr std::int64_t kSenderAuthenticated = 8;
inline constexpr std::int64_t kDelayTold = 16;  ///< the sender was told of a delay
inline constexpr std::int64_t kWarned = 1;
inline constexpr std::int64_t kPossibleDuplicate = 2;
/// Held although the state column says waiting: the copy keeps its entries in the indexes of
/// waiting copies, so holding a million copies does not rewrite a page of index for each.
inline constexpr std::int64_t kHeldInPlace = 4;
/// Failed, but not reported to the sender while a fallback may still take over.
inline constexpr std::int64_t kUntold = 8;
/// The bits of recipient.flags from here on count mail::QueuedRecipient::changes, so that a retry
/// of copies that are due already rewrites no index.
inline constexpr std::int64_t kChange = 256;
inline constexpr std::int64_t kSeal = 1;
inline constexpr std::int64_t kRiskPool = 2;  ///< also a literal in the index of lanes
inline constexpr std::int64_t kNewAuthor = 4;
inline constexpr std::int64_t kHeldOnEntry = 8;
inline constexpr std::int64_t kMarkOriginalTo = 16;
inline constexpr std::int64_t kMarkDeliveredTo = 32;

inline constexpr const char* kMessageColumns =
    "id, received_ms, size, flags, reverse_path, client, client_port, helo, tls_version, "
    "tls_cipher, message_id, header_octets";
inline constexpr const char* kAttemptColumns =
    "at_ms, host, address, port, tls, stage, code, status, reply, tls_policy, tls_result";
/// Ends with kAttemptColumns.
inline constexpr const char* kRecipientColumns =
    "id, idx, original, target, destination, reverse_path, state, attempts, next_due_ms, flags, "
    "handling, reason, released_ms, awaits, ended, fallback_group, "
    "at_ms, host, address, port, tls, stage, code, status, reply, tls_policy, tls_result";

/// Positions of some columns in kRecipientColumns.
struct RecipientAt {
  static constexpr int kId = 0, kIndex = 1, kOriginal = 2, kTarget = 3, kState = 6, kAttempts = 7,
                       kNextDue = 8, kFlags = 9, kAwaits = 13, kAttempt = 16, kHost = 17,
                       kStatus = 23;
};

std::string_view blob_of(const mail::MessageId& id);
mail::MessageId id_of(std::string_view blob);
std::int64_t ms_of(base::WallTime time);
base::WallTime time_of(std::int64_t ms);

/// From the columns recipient.state and recipient.flags. An unknown state counts as held, so that a
/// damaged copy is neither sent nor forgotten.
mail::RecipientState state_of(std::int64_t number, std::int64_t flags);

/// From the column recipient.flags.
std::uint32_t changes_of(std::int64_t flags);

/// Values for the columns message.flags and recipient.handling.
std::int64_t flags_of(const mail::AcceptedMessage& message);
std::int64_t handling_of(const mail::Route& route);

/// Parses a stored reverse-path. Throws DamagedValue.
mail::ReversePath path_from(const std::string& text);

// Read a row of kMessageColumns (without copies) or kRecipientColumns. Only valid values are
// stored, so an invalid one means a damaged row: throw DamagedValue.
mail::QueuedMessage message_from(const Statement& row);
mail::QueuedRecipient recipient_from(const Statement& row);

// Read the same rows for the operator, without checks; never throw DamagedValue.
void show_message(ports::QueueRow& shown, const Statement& row);
void show_recipient(ports::QueueRow& shown, const Statement& row);

/// Reads kAttemptColumns from column `first` on.
mail::DeliveryAttempt attempt_from(const Statement& row, int first);

/// Binds kAttemptColumns from position `first` on. `status` must live until the statement is reset.
void bind_attempt(Statement& statement, int first, const mail::DeliveryAttempt& attempt,
                  const std::string& status);

}  // namespace relay::spool
