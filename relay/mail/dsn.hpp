// Delivery status notifications: the message that tells a sender what became of theirs (RFC 3464 in
// a multipart/report, RFC 6522; internationalised, RFC 6533). Pure text: the caller gives time and
// ids, decides whether a DSN may be sent at all, and sends it with the null reverse-path.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "relay/base/time.hpp"
#include "relay/mail/address.hpp"
#include "relay/mail/message.hpp"
#include "relay/mail/outcome.hpp"

namespace relay::mail {

/// Of the original's header at most this much is returned; whole fields only.
inline constexpr std::size_t kMaxReturnedHeader = 32UL * 1024;

/// No DSN is longer: what does not fit goes into a further one.
inline constexpr std::size_t kMaxDsnOctets = 200UL * 1024;

enum class DsnKind {
  Failed,   ///< no further attempt
  Delayed,  ///< a warning: attempts go on
};

/// One copy the DSN tells of.
struct DsnRecipient {
  DsnKind kind = DsnKind::Failed;
  ForwardPath original;     ///< as the sender gave it: the alias
  Mailbox target;           ///< where the alias leads; shown only when hide_targets is off
  DeliveryAttempt attempt;  ///< the last one; `at` of the epoch: none was made
  End end = End::Refused;   ///< of a failed one: Refused, Expired or Returned
  std::optional<base::WallTime> retry_until = {};  ///< of a delayed one
  /// The alias leads to other mailboxes as well, of which this says nothing.
  bool one_of_several = false;
};

struct DsnRequest {
  std::function<MessageId()> new_id;  ///< of each DSN: makes its Message-ID and boundary
  MessageId original_id;              ///< of the message it tells of, as in our 250 reply and log
  Domain reporting_host;              ///< our name: Reporting-MTA, MAILER-DAEMON@…
  Mailbox addressee;                  ///< the original reverse-path, or the postmaster
  /// The original reverse-path when somebody else is told, who then knows that the sender is not.
  std::optional<Mailbox> sender = {};
  base::WallTime now;
  base::WallTime arrived_at;    ///< when we took the original
  std::string original_header;  ///< header block as received; text behind an empty line is ignored
  bool hide_targets = true;     ///< the alias as Final-Recipient; targets masked in remote texts
  std::vector<DsnRecipient> recipients;  ///< not empty
};

struct Dsn {
  MessageId id;
  std::string content;     ///< header and body
  std::size_t failed = 0;  ///< copies it tells of
  std::size_t delayed = 0;
};

/// True when the DSN can only travel with SMTPUTF8: its addressee has a UTF-8 local part. Any other
/// DSN is 7-bit throughout, whatever aliases, remote texts and original header hold: international
/// addresses in it have the form of RFC 6533 §3.
bool dsn_needs_smtputf8(const DsnRequest& request);

/// One message, or as many as it takes for none to be longer than kMaxDsnOctets; each is complete
/// in itself. Every recipient is in exactly one of them, and every shown address once. CRLF line
/// ends, no line over 998 octets, no trace fields. Remote texts and the original header are
/// untrusted: nothing in them can end a line, a field or a part.
std::vector<Dsn> build_dsns(const DsnRequest& request);

}  // namespace relay::mail
