// What became of a recipient or of a session, in the words of the remote server or in ours.
#pragma once

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
  bool ambiguous = false;  ///< the dot was sent and its reply never read (O-1, C6)
  bool closing = false;    ///< 421: the server is going away
  bool too_many = false;   ///< the server takes no more recipients in one transaction
};

/// What a reply means for whoever waits for it: 4xx deferred, 5xx failed, anything else than 2xx or
/// 3xx in its place a protocol error (deferred).
Verdict verdict_of(const RemoteReply& reply, mail::Stage stage);

/// A verdict of our own, without a reply.
Verdict local_verdict(mail::OutcomeKind kind, mail::Stage stage, mail::EnhancedStatus status,
                      std::string text);

}  // namespace relay::smtp
