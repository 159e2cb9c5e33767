// The queue as text: what listings and changes answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "relay/base/time.hpp"
#include "relay/mail/message.hpp"

namespace relay::ports {

enum class QueueAction {
  Retry,    ///< makes waiting copies due now; attempt count and expiry stay
  Hold,     ///< holds waiting copies until they are released
  Release,  ///< releases held copies
  Drop,     ///< ends copies without a DSN
  Bounce,   ///< ends copies with a DSN
};

/// A copy as it is stored.
struct QueueRow {
  mail::CopyId copy;
  base::WallTime received_at;
  std::uint64_t size = 0;
  std::string client;  ///< textual IP
  std::string helo;
  std::string tls;         ///< TLS version it came with, or ""
  std::string message_id;  ///< Message-ID of the header, without brackets; or ""
  std::string mail_from;   ///< the original reverse-path; "" is the null sender
  std::string alias;
  std::string target;
  std::string sender;  ///< the reverse-path under which the copy leaves
  mail::Handling handling;
  bool held_on_entry = false;
  std::string awaits;  ///< whose consent it waits for; or ""
  mail::RecipientState state = mail::RecipientState::Waiting;
  mail::End end = mail::End::None;
  std::uint32_t attempts = 0;
  base::WallTime next_due;
  base::WallTime released_at;  ///< release of a held copy, or use of a fallback; else epoch
  bool warned = false;
  bool possible_duplicate = false;
  mail::DeliveryAttempt last;
};

/// A page of a listing, in the order (id, index). `next`: where it continues; nullopt: it is
/// complete.
struct QueuePage {
  std::vector<QueueRow> rows;
  std::optional<mail::CopyId> next;
};

/// What one slice of a change did, in the order (id, index).
struct ChangedSlice {
  std::vector<mail::CopyId> changed;
  /// With QueueAction::Hold: matching copies that were held already. They do not count as changed,
  /// but an attempt that began before the hold may still be under way.
  std::vector<mail::CopyId> held_before;
  std::optional<mail::CopyId> next;
};

struct AttemptRow {
  std::uint16_t index = 0;
  mail::DeliveryAttempt attempt;
};

struct QueueTotals {
  std::uint64_t messages = 0;
  std::uint64_t waiting = 0;  ///< copies
  std::uint64_t held = 0;
  std::uint64_t bytes = 0;
  std::uint64_t owed_reports = 0;  ///< messages with notices that no DSN has reported
};

}  // namespace relay::ports
