// The result for a recipient or a session, in the words of the remote server or in ours, and the
// next step that follows from it.
#pragma once

#include <cstdint>
#include <string>

#include "relay/mail/outcome.hpp"
#include "relay/mail/status.hpp"
#include "relay/smtp/reply_parser.hpp"

namespace relay::smtp {

/// The result for a recipient, or for a session, and its reason.
struct Verdict {
  mail::OutcomeKind kind = mail::OutcomeKind::Deferred;
  mail::Stage stage = mail::Stage::Banner;
  int code = 0;                 ///< 0: the remote gave no reply, or none that could be parsed
  mail::EnhancedStatus status;  ///< of the reply, else the generic one of its class, else our own
  std::string text;
  bool ambiguous = false;       ///< the dot was sent and its reply never read
  bool closing = false;         ///< 421: the server is going away
  bool too_many = false;        ///< after others were accepted; another transaction may take it
  bool by_capability = false;   ///< never sent: the server does not offer what the message needs
  bool protocol_error = false;  ///< 503 to a command in its right place: replies no longer match

  /// The server protects itself against us, whoever the recipient is: 4.7.x with 421, before RCPT,
  /// or after the dot. Not 454 to STARTTLS, where 4.7.x is about keys and certificates (RFC 3207
  /// §4).
  bool throttles() const;

  /// 4.2.x at RCPT: the state of this mailbox (RFC 3463 §3.3), which is the same at every host.
  bool about_recipient() const;

  /// The banner refuses all mail service: 521 (RFC 7504 §3) or 554 (RFC 5321 §3.1).
  bool refuses_service() const;
};

/// What a copy does next within its attempt, after a verdict on it.
enum class NextStep : std::uint8_t {
  Settled,                  ///< delivered, or failed
  AnotherHost,              ///< the next host may take it
  SameHostNextTransaction,  ///< this host takes it in a transaction with fewer recipients
  WaitForThisCopy,  ///< the copy waits: every host would say the same, or it would be doubled
  Throttled,        ///< its whole destination waits: asking another host would evade the limit
};

/// The first line that applies decides.
///
///   by_capability                                AnotherHost
///   delivered or failed                          Settled
///   ambiguous                                    WaitForThisCopy
///   protocol_error                               AnotherHost
///   too_many                                     SameHostNextTransaction
///   4.7.x with 421, before RCPT, after the dot   Throttled
///   4.7.x at RCPT or DATA                        WaitForThisCopy
///   4.2.x or 4.5.3 at RCPT                       WaitForThisCopy
///   loss, silence, 421, any other 4xx            AnotherHost
NextStep next_step(const Verdict& verdict);

/// The verdict that a reply means: 2xx delivered, 4xx deferred, 5xx failed. 3xx where none is
/// expected: deferred with 4.5.0, a protocol error of the server.
Verdict verdict_of(const RemoteReply& reply, mail::Stage stage);

/// Whether a refusal of RCPT may mean too many recipients, when others were accepted before it:
/// 452, and the older 552 (RFC 5321 §4.5.3.1.10), unless its enhanced code names another reason
/// (RFC 3463 §3). 4.3.1 (storage) counts, since it is the basic meaning of 452; 5.3.1 does not.
bool may_mean_too_many(const RemoteReply& reply);

/// The verdict for a 503 to a command in its right place: the dialogue is out of step, which is no
/// fault of the mail. Deferred with 4.5.0; the text stays.
Verdict out_of_step(Verdict verdict);

/// A verdict of our own, without a reply.
Verdict local_verdict(mail::OutcomeKind kind, mail::Stage stage, mail::EnhancedStatus status,
                      std::string text);

}  // namespace relay::smtp
