// The answer to RCPT: whether mail from this client and sender is taken for this recipient. All
// objections to a recipient are raised here, so that nothing is accepted first and bounced later.
#pragma once

#include <optional>

#include "relay/base/task.hpp"
#include "relay/forward/planner.hpp"
#include "relay/inbound/abuse_control.hpp"
#include "relay/inbound/bounce_guard.hpp"
#include "relay/inbound/host_troubles.hpp"
#include "relay/inbound/open_message.hpp"
#include "relay/mail/address.hpp"
#include "relay/ports/clock.hpp"
#include "relay/ports/resolver.hpp"
#include "relay/smtp/reply.hpp"

namespace relay::ports {
class ConsentQueue;
class TokenStore;
}  // namespace relay::ports

namespace relay::inbound {

/// One for all sessions. Thread-safe: it has no state of its own.
class RecipientGate {
 public:
  struct Parts {
    ports::Clock& clock;
    ports::Resolver& resolver;
    ports::TokenStore& tokens;
    ports::ConsentQueue& consent;
    BounceGuard& bounces;
    AbuseControl& abuse;
    const HostTroubles& troubles;
  };

  explicit RecipientGate(Parts parts) : parts_(parts) {}

  /// Why mail for this recipient is not taken (4xx or 5xx). nullopt: it is, and the recipient has
  /// been added to the transaction; the first one begins the verification of the message.
  base::Task<std::optional<smtp::Reply>> objection(OpenMessage message,
                                                   mail::ForwardPath forward_path) const;

 private:
  using Objection = std::optional<smtp::Reply>;

  /// Too many recipients were asked for.
  Objection attempt_objection(const OpenMessage& message,
                              const mail::ForwardPath& forward_path) const;
  /// Any other objection.
  base::Task<Objection> objection_to(OpenMessage message, mail::ForwardPath forward_path) const;
  /// The attempt was counted and is answered so: whether and when it is forgiven.
  void settle_attempt(const OpenMessage& message, const Objection& answer) const;
  /// Objections to the sender, for any recipient.
  base::Task<Objection> sender_objection(const OpenMessage& message) const;
  /// Objections to the client, for any recipient.
  base::Task<Objection> client_objection(const OpenMessage& message,
                                         const mail::ForwardPath& forward_path) const;
  base::Task<forward::Resolution> resolve(const OpenMessage& message,
                                          mail::ForwardPath forward_path) const;
  smtp::Reply refusal(const OpenMessage& message, const forward::Rejection& rejection) const;
  /// Guesses are used up: no SRS address whose tag could be found by trying is looked at.
  Objection guessable_objection(const OpenMessage& message) const;
  /// max_awaiting copies are already held for a target that has not confirmed.
  base::Task<Objection> consent_objection(const OpenMessage& message,
                                          const forward::ResolvedRecipient& resolved) const;
  /// Greylisting and rates, for a recipient that resolved.
  base::Task<Objection> admission_objection(const OpenMessage& message,
                                            const forward::ResolvedRecipient& resolved) const;
  /// Why a recipient that resolved does not fit into this transaction.
  Objection room_objection(const OpenMessage& message,
                           const forward::ResolvedRecipient& resolved) const;
  void begin_check(const OpenMessage& message) const;

  Parts parts_;
};

}  // namespace relay::inbound
