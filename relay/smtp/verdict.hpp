// What became of a recipient or of a session, in the words of the remote server or in ours, and
// what is to be done next about it.
#pragma once

#include <cstdint>
#include <string>

#include "relay/mail/outcome.hpp"
#include "relay/mail/status.hpp"
#include "relay/smtp/reply_parser.hpp"

namespace relay::smtp {

/// The fate of a recipient, or of a session, and what was said about it.
struct Verdict {
  mail::OutcomeKind kind = mail::OutcomeKind::Deferred;
  mail::Stage stage = mail::Stage::Banner;
  int code = 0;                 ///< 0: the remote said nothing, or nothing understandable
  mail::EnhancedStatus status;  ///< of the reply, else the generic one of its class, else ours
  std::string text;
  bool ambiguous = false;       ///< the dot was sent and its reply never read
  bool closing = false;         ///< 421: the server is going away
  bool too_many = false;        ///< others were taken; the next transaction may take this one
  bool by_capability = false;   ///< not asked for: the server does not offer what the mail needs
  bool protocol_error = false;  ///< 503 to a command in its place: the dialogue is out of step

  /// The server protects itself against us, whoever is written to: 4.7.x with 421, before RCPT, or
  /// after the dot. Not 454 to STARTTLS, where it is about keys and certificates (RFC 3207 §4).
  bool throttles() const;

  /// 4.2.x at RCPT: the state of this mailbox (RFC 3463 §3.3), the same at every host.
  bool about_recipient() const;

  /// The banner said that there is no mail service here: 521 (RFC 7504 §3) or 554 (RFC 5321 §3.1).
  bool refuses_service() const;
};

/// Where a copy goes after a verdict about it, within its attempt.
enum class NextStep : std::uint8_t {
  Settled,                  ///< delivered, or failed
  AnotherHost,              ///< the next host may take it
  SameHostNextTransaction,  ///< this host takes it in a transaction with fewer recipients
  WaitForThisCopy,  ///< it alone waits: every host would say the same, or it would be doubled
  Throttled,        ///< its whole destination waits: asking another host would be evasion
};

/// The first line that fits decides.
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

/// What a reply means for whoever waits for it: 4xx deferred, 5xx failed, anything else than 2xx or
/// 3xx in its place a protocol error (deferred).
Verdict verdict_of(const RemoteReply& reply, mail::Stage stage);

/// Whether a refusal of RCPT can mean that there are too many recipients, where others were taken
/// before it: 452, and of old 552 (RFC 5321 §4.5.3.1.10), unless its enhanced code names another
/// reason (RFC 3463 §3). 4.3.1, storage, is but what 452 says by itself; 5.3.1 would be news.
bool may_mean_too_many(const RemoteReply& reply);

/// The verdict of a 503 to a command that had its place: the fault is ours, so nobody's mail fails
/// for it. Deferred with 4.5.0; the text stays.
Verdict out_of_step(Verdict verdict);

/// A verdict of our own, without a reply.
Verdict local_verdict(mail::OutcomeKind kind, mail::Stage stage, mail::EnhancedStatus status,
                      std::string text);

}  // namespace relay::smtp
