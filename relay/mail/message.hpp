// A message on its way: accepted, routed, stored.
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

/// The name of one copy, everywhere.
struct CopyId {
  MessageId message;
  std::uint16_t index = 0;  ///< Route::index

  friend auto operator<=>(const CopyId&, const CopyId&) = default;
};

/// How a copy is to leave, as relay/forward chose (strategy.hpp).
struct Handling {
  bool seal = false;        ///< with our ARC set in front
  bool risk_pool = false;   ///< from the source, and at the rate, kept for doubtful mail
  bool new_author = false;  ///< with AcceptedMessage::rewritten_head instead of the original header
  std::string reason;       ///< why, one line of ours, for the log and `queue why`
};

/// "plain", "sealed", "new-author+risk", …: for the log, without the reason.
std::string name(const Handling& handling);

/// Who ended a copy, and so why. Stored: numbers are never given a new meaning.
enum class End : std::uint8_t {
  None = 0,       ///< it has not ended
  Delivered = 1,  ///< the next hop took it
  Refused = 2,    ///< the next hop, or its DNS, said no for good
  Expired = 3,    ///< it was tried for as long as [queue] expire says
  Dropped = 4,    ///< the operator, without a word to the sender
  Returned = 5,   ///< the operator, with a DSN
  Discarded = 6,  ///< its alias, which throws mail away; shown as dropped, as well
  Replaced = 7,   ///< the fallback of its alias takes its place, without a word to the sender
};

std::string_view name(End end);

/// The field that tells the reader of a copy through which alias it came.
enum class AliasMark : std::uint8_t { None, OriginalTo, DeliveredTo };

std::string_view name(AliasMark mark);  ///< of the field; "" of none

/// One copy to send: a target reached through an alias.
struct Route {
  std::uint16_t index = 0;   ///< number of the copy within its message, from 0
  ForwardPath original;      ///< the forward-path as the client gave it (what a DSN shows)
  Mailbox target;            ///< where the copy goes; of one that is discarded, the alias
  ReversePath reverse_path;  ///< under which sender: SRS, unchanged, or null
  Handling handling = {};
  bool held = false;  ///< enters the queue held: leaves when it is released
  /// Whose consent the copy waits for: the target, folded, without sub-address. It is held for this
  /// alone, and released when the target confirms. "": nobody's.
  std::string awaits = {};
  /// How the copy has ended before it entered the queue; None: it is to be sent.
  End ended = End::None;
  /// On top of this copy alone, which shares a transaction with no other.
  AliasMark mark = AliasMark::None;
  /// Copies of one alias that has a fallback have a number of theirs in common with the fallback's
  /// copies; 0: the alias has none.
  std::uint16_t group = 0;
  bool stands_by = false;  ///< a copy of the fallback: it is used when all others of its group fail
};

/// The field, CRLF-terminated; "" when the copy bears none.
std::string mark_field(const Route& route);

/// Everything about an accepted message except its content.
struct AcceptedMessage {
  MessageId id;
  base::WallTime received_at;
  ReversePath reverse_path;  ///< the original: where a DSN of ours goes
  BodyType body = BodyType::SevenBit;
  bool smtputf8 = false;
  Client client;
  std::string trace_fields;  ///< our own header fields, CRLF-terminated, to be put in front
  std::string seal_fields;   ///< our ARC set, above trace_fields in copies that are sealed; or ""
  /// With From rewritten (opt-in): trace fields and header in full, CRLF-terminated, to stand in
  /// the place of trace_fields and the first header_octets of the content; "" in all other
  /// messages.
  std::string rewritten_head;
  std::uint32_t header_octets = 0;  ///< of the content, up to the empty line; 0 when not needed
  /// SPF passed, or a signature aligned with it did: a DSN may go to the reverse-path.
  bool sender_authenticated = false;
  std::uint64_t size = 0;  ///< octets of the original content
  std::string message_id;  ///< of the header, without brackets, at most 255 octets; "": none
};

/// How far one copy is.
enum class RecipientState : std::uint8_t {
  Waiting = 0,  ///< due at next_due
  Held = 1,     ///< for the operator to decide: never due, never expired
  Delivered = 2,
  Failed = 3,    ///< bounced, or dropped with a log line
  StandsBy = 4,  ///< a fallback's, not used: it holds up nothing, and goes with the message
};

/// The copy is neither sent nor decided upon any more; of a fallback's, not yet.
constexpr bool is_final(RecipientState state) {
  return state != RecipientState::Waiting && state != RecipientState::Held;
}

/// Why a copy has ended before it came, as if it had been tried; of any other, nothing.
DeliveryAttempt attempt_on_entry(const Route& route, base::WallTime at);

/// How a copy enters the queue.
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
  base::WallTime next_due;
  bool warned = false;              ///< the delay notice went out
  bool possible_duplicate = false;  ///< an attempt ended between the dot and its reply
  DeliveryAttempt last;             ///< at == epoch: none yet
  End end = End::None;
  /// When the operator let a held copy go: it has its whole time to be delivered from then. Epoch:
  /// it was never held.
  base::WallTime released_at = {};
};

/// A message as the queue holds it, without content.
struct QueuedMessage {
  AcceptedMessage message;
  std::vector<QueuedRecipient> recipients;
};

/// A stored original sender behind an opaque SRS local part.
struct SenderToken {
  std::string token;         ///< local part without our domain, lower-case base32
  ReversePath reverse_path;  ///< the original sender
  base::WallTime expires_at;
  std::string counted_under;       ///< whose quota: "domain x.example", or a client's network
  std::int64_t most = 0;           ///< of that quota
  std::string counted_wider = {};  ///< the wider network's, which has twice as many; or ""
};

}  // namespace relay::mail

template <>
struct std::hash<relay::mail::CopyId> {
  std::size_t operator()(const relay::mail::CopyId& copy) const noexcept {
    return std::hash<relay::mail::MessageId>()(copy.message) * 31 + copy.index;
  }
};
