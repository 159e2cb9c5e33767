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

/// One copy to send: a target reached through an alias.
struct Route {
  std::uint16_t index = 0;   ///< number of the copy within its message, from 0
  ForwardPath original;      ///< the forward-path as the client gave it (what a DSN shows)
  Mailbox target;            ///< where the copy goes
  ReversePath reverse_path;  ///< under which sender: SRS, unchanged, or null
  Handling handling = {};
  bool held = false;  ///< enters the queue held: leaves when it is released
  /// Whose consent the copy waits for: the target, folded, without sub-address. It is held for this
  /// alone, and released when the target confirms. "": nobody's.
  std::string awaits = {};
};

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
  Failed = 3,  ///< bounced, or dropped with a log line
};

constexpr bool is_final(RecipientState state) {
  return state == RecipientState::Delivered || state == RecipientState::Failed;
}

/// Who ended a copy, and so why. Stored: numbers are never given a new meaning.
enum class End : std::uint8_t {
  None = 0,       ///< it has not ended
  Delivered = 1,  ///< the next hop took it
  Refused = 2,    ///< the next hop, or its DNS, said no for good
  Expired = 3,    ///< it was tried for as long as [queue] expire says
  Dropped = 4,    ///< the operator, without a word to the sender
  Returned = 5,   ///< the operator, with a DSN
};

std::string_view name(End end);

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
  std::string client;  ///< address prefix whose quota it counts against
};

}  // namespace relay::mail

template <>
struct std::hash<relay::mail::CopyId> {
  std::size_t operator()(const relay::mail::CopyId& copy) const noexcept {
    return std::hash<relay::mail::MessageId>()(copy.message) * 31 + copy.index;
  }
};
