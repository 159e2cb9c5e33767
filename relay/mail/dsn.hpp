// Delivery status notifications: the message that tells a sender what became of theirs (RFC 3464 in
// a multipart/report, RFC 6522; internationalised, RFC 6533). Pure text: the caller gives time and
// ids, decides whether a DSN may be sent at all, and sends it with the null reverse-path.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "relay/base/time.hpp"
#include "relay/mail/address.hpp"
#include "relay/mail/envelope.hpp"
#include "relay/mail/outcome.hpp"

namespace relay::mail {

/// Of the original's header at most this much is returned (rule L-8); whole fields only.
inline constexpr std::size_t kMaxReturnedHeader = 32UL * 1024;

enum class DsnKind {
  Failed,   ///< no further attempt
  Delayed,  ///< a warning: attempts go on
};

/// One copy the DSN tells of.
struct DsnRecipient {
  ForwardPath original;     ///< as the sender gave it: the alias
  Mailbox target;           ///< where the alias leads; shown only when hide_targets is off
  DeliveryAttempt attempt;  ///< the last one
  bool expired = false;     ///< given up because of age, not because of the last reply
};

struct DsnRequest {
  DsnKind kind = DsnKind::Failed;
  MessageId id;           ///< of the DSN itself: makes its Message-ID and boundary
  MessageId original_id;  ///< of the message it tells of, as in our 250 reply and log
  Domain reporting_host;  ///< our name: Reporting-MTA, MAILER-DAEMON@…
  Mailbox addressee;      ///< the original reverse-path
  base::WallTime now;
  base::WallTime arrived_at;                  ///< when we took the original
  std::optional<base::WallTime> retry_until;  ///< Will-Retry-Until of a Delayed one
  std::string original_header;  ///< header block as received; text behind an empty line is ignored
  bool hide_targets = true;     ///< the alias as Final-Recipient; targets masked in remote texts
  std::vector<DsnRecipient> recipients;
};

/// True when the DSN can only travel with SMTPUTF8: its addressee has a UTF-8 local part. Any other
/// DSN is 7-bit throughout, whatever aliases, remote texts and original header hold: international
/// addresses in it have the form of RFC 6533 §3.
bool dsn_needs_smtputf8(const DsnRequest& request);

/// The whole message, CRLF line ends, no line over 998 octets, no trace fields. Remote texts and
/// the original header are untrusted: nothing in them can end a line, a field or a part.
std::string build_dsn(const DsnRequest& request);

}  // namespace relay::mail
