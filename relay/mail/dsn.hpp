// Delivery status notifications: messages that tell a sender what became of their message (RFC 3464
// in a multipart/report, RFC 6522; internationalised, RFC 6533). Pure text: the caller supplies
// time and ids, decides whether a DSN may be sent at all, and sends it with the null reverse-path.
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

/// How much of the original's header is returned, in octets; whole fields only.
inline constexpr std::size_t kMaxReturnedHeader = 32UL * 1024;

/// The most octets of one DSN (guarantee "A DSN is well formed and bounded"); what does not fit
/// goes into further DSNs.
inline constexpr std::size_t kMaxDsnOctets = 200UL * 1024;

enum class DsnKind {
  Failed,   ///< no further attempt
  Delayed,  ///< a warning: attempts go on
};

/// One copy that the DSN reports.
struct DsnRecipient {
  DsnKind kind = DsnKind::Failed;
  ForwardPath original;     ///< as the sender wrote it: the alias
  Mailbox target;           ///< where the alias leads; shown only when hide_targets is off
  DeliveryAttempt attempt;  ///< the last attempt; `at` is the epoch when there was none
  End end = End::Refused;   ///< of a failed one: Refused, Expired or Returned
  std::optional<base::WallTime> retry_until = {};  ///< of a delayed one
  /// The alias has other targets, too, about which this copy says nothing.
  bool one_of_several = false;
};

struct DsnRequest {
  std::function<MessageId()> new_id;  ///< called for each DSN: makes its Message-ID and boundary
  MessageId original_id;              ///< of the reported message, as in our 250 reply and log
  Domain reporting_host;              ///< our name: Reporting-MTA, MAILER-DAEMON@…
  Mailbox addressee;                  ///< the original reverse-path, or the postmaster
  /// Set when the DSN goes to the postmaster instead: the original reverse-path. The DSN then says
  /// that the sender has not been told.
  std::optional<Mailbox> sender = {};
  base::WallTime now;
  base::WallTime arrived_at;    ///< when we took the original
  std::string original_header;  ///< header block as received; what follows an empty line is ignored
  bool hide_targets = false;    ///< show the alias as Final-Recipient; mask targets in remote texts
  std::vector<DsnRecipient> recipients;  ///< not empty
};

struct Dsn {
  MessageId id;
  std::string content;     ///< header and body
  std::size_t failed = 0;  ///< number of failed copies it reports
  std::size_t delayed = 0;
};

/// True when the DSN can only travel with SMTPUTF8: its addressee has a UTF-8 local part. Every
/// other DSN is 7-bit throughout, whatever aliases, remote texts and original header contain:
/// international addresses in it are written as in RFC 6533 §3.
bool dsn_needs_smtputf8(const DsnRequest& request);

/// One message, or several when one would exceed kMaxDsnOctets; each is complete in itself. Every
/// recipient is in exactly one of them, and every shown address appears once. CRLF line ends, no
/// line over 998 octets, no trace fields. Remote texts and the original header are untrusted:
/// nothing in them can end a line, a field or a part.
std::vector<Dsn> build_dsns(const DsnRequest& request);

}  // namespace relay::mail
