// A message after it was accepted: routed and stored.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "relay/base/time.hpp"
#include "relay/mail/envelope.hpp"
#include "relay/mail/outcome.hpp"

namespace relay::mail {

/// Identifies one copy everywhere.
struct CopyId {
  MessageId message;
  std::uint16_t index = 0;  ///< Route::index

  friend auto operator<=>(const CopyId&, const CopyId&) = default;
};

/// How a copy leaves, as chosen by relay/forward (strategy.hpp).
struct Handling {
  bool seal = false;        ///< with our ARC set in front of it
  bool risk_pool = false;   ///< from the source address and at the rate for doubtful mail
  bool new_author = false;  ///< with AcceptedMessage::rewritten_head instead of the original header
  std::string reason;       ///< why, as one line of our own text, for the log and `queue why`
};

/// "plain", "sealed", "new-author+risk", …: for the log, without the reason.
std::string name(const Handling& handling);

/// How a copy ended. Stored: a number never gets another meaning.
enum class End : std::uint8_t {
  None = 0,       ///< it has not ended
  Delivered = 1,  ///< the next hop took it
  Refused = 2,    ///< the next hop, or its DNS, refused it for good
  Expired = 3,    ///< it was tried for as long as [queue] expire allows
  Dropped = 4,    ///< by the operator, without a DSN
  Returned = 5,   ///< by the operator, with a DSN
  Discarded = 6,  ///< by its alias, which throws mail away; shown as dropped, too
  Replaced = 7,   ///< the fallback of its alias is used instead, without a DSN
};

std::string_view name(End end);

/// The field that tells the reader of a copy through which alias it came.
enum class AliasMark : std::uint8_t { None, OriginalTo, DeliveredTo };

std::string_view name(AliasMark mark);  ///< the name of the field; "" for None

/// One copy to send: a target reached through an alias.
struct Route {
  std::uint16_t index = 0;   ///< number of the copy within its message, from 0
  ForwardPath original;      ///< the forward-path as the client gave it, which a DSN shows
  Mailbox target;            ///< where the copy goes; the alias itself for a discarded copy
  ReversePath reverse_path;  ///< the sender it leaves with: SRS, unchanged, or null
  Handling handling = {};
  bool held = false;  ///< enters the queue held, and leaves when it is released
  /// Whose consent the copy waits for: the target, folded, without sub-address. The copy is held
  /// for this reason alone, and released when the target confirms. "": it waits for no consent.
  std::string awaits = {};
  /// How the copy ended before it entered the queue; None: it is to be sent.
  End ended = End::None;
  /// The field put on top of this copy alone; such a copy shares an SMTP transaction with no other.
  AliasMark mark = AliasMark::None;
  /// Copies of an alias with a fallback, and the copies of that fallback, have the same number
  /// here; 0: the alias has no fallback.
  std::uint16_t group = 0;
  bool stands_by = false;  ///< a copy of the fallback: used when all others of its group fail
};

/// The mark field of this copy, CRLF-terminated; "" when it has none.
std::string mark_field(const Route& route);

/// Everything about an accepted message except its content, as the intake gives it to the queue.
struct AcceptedMessage {
  MessageId id;
  ReversePath reverse_path;  ///< the original reverse-path, to which our DSNs go
  BodyType body = BodyType::SevenBit;
  bool smtputf8 = false;
  Client client;
  std::string trace_fields;  ///< our own header fields, CRLF-terminated, put before the content
  std::string seal_fields;   ///< our ARC set, put above trace_fields in sealed copies; or ""
  /// When From is rewritten (opt-in): trace fields and the whole new header, CRLF-terminated, which
  /// replace trace_fields and the first header_octets of the content; "" in all other messages.
  std::string rewritten_head;
  std::uint32_t header_octets = 0;  ///< of the content, up to the empty line; 0 when not needed
  /// SPF passed, or an aligned DKIM signature did: a DSN may go to the reverse-path.
  bool sender_authenticated = false;
  std::uint64_t size = 0;  ///< octets of the original content
  std::string message_id;  ///< of the header, without brackets, at most 255 octets; "": none
};

/// The state of one copy.
enum class RecipientState : std::uint8_t {
  Waiting = 0,  ///< due at next_due
  Held = 1,     ///< until it is released: never due, never expires
  Delivered = 2,
  Failed = 3,    ///< ended undelivered; End says how
  StandsBy = 4,  ///< a copy of an unused fallback: delays nothing, and is removed with the message
};

/// True for a copy that the queue neither sends nor waits for a decision on: it has ended, or it
/// belongs to an unused fallback.
constexpr bool is_final(RecipientState state) {
  return state != RecipientState::Waiting && state != RecipientState::Held;
}

/// The attempt to record for a copy that ended before it entered the queue; an empty one for any
/// other.
DeliveryAttempt attempt_on_entry(const Route& route, base::WallTime at);

/// The state in which a copy enters the queue.
constexpr RecipientState state_on_entry(const Route& route) {
  if (route.ended != End::None) return RecipientState::Failed;
  if (route.stands_by) return RecipientState::StandsBy;
  return route.held ? RecipientState::Held : RecipientState::Waiting;
}

/// A copy with its history: one row of the queue.
struct QueuedRecipient {
  Route route;
  RecipientState state = RecipientState::Waiting;
  std::uint32_t attempts = 0;
  /// How often the operator has released or retried it; an attempt under way is outdated by that.
  std::uint32_t changes = 0;
  base::WallTime next_due;
  bool warned = false;              ///< the delay notice was sent
  bool possible_duplicate = false;  ///< an attempt was cut off between the dot and its reply
  DeliveryAttempt last;             ///< `at` is the epoch before the first attempt
  End end = End::None;
  /// When the copy was released, or its fallback came into use: its time to be delivered counts
  /// from then. Epoch: neither happened, it counts from arrival.
  base::WallTime released_at = {};
};

/// A message as the queue holds it, without content.
struct QueuedMessage {
  AcceptedMessage message;
  std::vector<QueuedRecipient> recipients;
  base::WallTime received_at = {};  ///< by the queue's clock: its age counts from then
};

/// An original sender, stored because the SRS address carries only an opaque token for it.
struct SenderToken {
  std::string token;                       ///< local part without our domain, lower-case base32
  ReversePath reverse_path;                ///< the original sender
  std::chrono::milliseconds lives_for{0};  ///< from the commit that brings it
  std::string counted_under;       ///< whose quota: "domain x.example", or a client's network
  std::int64_t most = 0;           ///< the limit of that quota
  std::string counted_wider = {};  ///< the wider network, which may have twice as many; or ""
};

}  // namespace relay::mail

template <>
struct std::hash<relay::mail::CopyId> {
  std::size_t operator()(const relay::mail::CopyId& copy) const noexcept {
    return std::hash<relay::mail::MessageId>()(copy.message) * 31 + copy.index;
  }
};
