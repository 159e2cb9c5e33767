// Values of the mail room as columns and back.
#pragma once

#include <string>
#include <string_view>

#include "relay/mail/message.hpp"
#include "relay/spool/sqlite_handle.hpp"

namespace relay::spool {

// Bits of message.flags, recipient.flags and recipient.handling.
inline constexpr std::int64_t kEightBit = 1;
inline constexpr std::int64_t kSmtpUtf8 = 2;
inline constexpr std::int64_t kEsmtp = 4;
inline constexpr std::int64_t kSenderAuthenticated = 8;
inline constexpr std::int64_t kWarned = 1;
inline constexpr std::int64_t kPossibleDuplicate = 2;
inline constexpr std::int64_t kSeal = 1;
inline constexpr std::int64_t kRiskPool = 2;
inline constexpr std::int64_t kNewAuthor = 4;
inline constexpr std::int64_t kHeldOnEntry = 8;

std::string_view blob_of(const mail::MessageId& id);
mail::MessageId id_of(const std::string& blob);
std::int64_t ms_of(base::WallTime time);
base::WallTime time_of(std::int64_t ms);

/// The columns message.flags and recipient.handling.
std::int64_t flags_of(const mail::AcceptedMessage& message);
std::int64_t handling_of(const mail::Route& route);

/// Columns as selected by kMessageColumns or kListedColumns, from `first`.
mail::AcceptedMessage message_from(const Statement& row, int first);

/// Columns as selected by kRecipientColumns, from `first`.
mail::QueuedRecipient recipient_from(const Statement& row, int first);

/// at_ms … reply, from `first`.
mail::DeliveryAttempt attempt_from(const Statement& row, int first);

/// Binds at_ms … reply, from position `first`. `status` is bound by reference.
void bind_attempt(Statement& statement, int first, const mail::DeliveryAttempt& attempt,
                  const std::string& status);

inline constexpr const char* kMessageColumns =
    "m.id, m.received_ms, m.reverse_path, m.flags, m.client, m.client_port, m.helo, "
    "m.tls_version, m.tls_cipher, m.size, m.header_octets, m.trace_fields, m.seal_fields, "
    "m.rewritten_head";
/// Without the header fields of ours, for a page of many.
inline constexpr const char* kListedColumns =
    "m.id, m.received_ms, m.reverse_path, m.flags, m.client, m.client_port, m.helo, "
    "m.tls_version, m.tls_cipher, m.size, m.header_octets, x'', x'', x''";
inline constexpr int kMessageColumnCount = 14;
inline constexpr const char* kRecipientColumns =
    "r.idx, r.original, r.target, r.reverse_path, r.state, r.attempts, r.next_due_ms, r.flags, "
    "r.handling, r.reason, r.released_ms, r.awaits, "
    "r.at_ms, r.host, r.address, r.port, r.tls, r.stage, r.code, r.status, r.reply";

}  // namespace relay::spool
