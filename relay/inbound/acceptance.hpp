// The last step of a message's arrival: check, route, sign, make durable; only then say 250.
#pragma once

#include <optional>
#include <utility>

#include "relay/base/log.hpp"
#include "relay/base/origin.hpp"
#include "relay/base/published.hpp"
#include "relay/base/task.hpp"
#include "relay/inbound/abuse_control.hpp"
#include "relay/inbound/bounce_guard.hpp"
#include "relay/inbound/policy.hpp"
#include "relay/inbound/resend_guard.hpp"
#include "relay/inbound/transaction.hpp"
#include "relay/mail/envelope.hpp"
#include "relay/ports/clock.hpp"
#include "relay/ports/commit_proof.hpp"
#include "relay/ports/delivery_feed.hpp"
#include "relay/ports/signer.hpp"
#include "relay/smtp/data_reader.hpp"
#include "relay/smtp/reply.hpp"

namespace relay::ports {
class ConsentQueue;
class IntakeQueue;
class TokenStore;
}  // namespace relay::ports

namespace relay::inbound {

/// What accepting a message takes. Outlives every session.
struct AcceptanceParts {
  ports::Clock& clock;
  ports::IntakeQueue& queue;
  ports::TokenStore& tokens;
  ports::ConsentQueue& consent;
  ports::Signer& signer;
  ports::DeliveryFeed& feed;
  base::Log& log;
  const base::Published<Policy>& policy;  ///< the newest, not the one under which the message began
  BounceGuard& bounces;
  ResendGuard& resends;
  AbuseControl& abuse;
};

/// A message whose content is complete. The references belong to the caller, who awaits.
struct ArrivedMessage {
  const mail::Envelope& envelope;
  const Transaction& transaction;
  Intake& intake;
  auth::MessageCheck* check = nullptr;  ///< null: incoming mail is not verified
  smtp::ContentFault fault = smtp::ContentFault::None;
  base::Deadline session_end = {};  ///< no lookup for it takes longer

  const Client& client() const { return transaction.client(); }
};

/// An accepted message whose client may not have received our 250 yet.
struct Unheard {
  ResendKey key;
  ports::CommitProof proof;
  bool remembered = false;  ///< by the resend guard, until the client is known to have the 250
};

struct Acceptance {
  smtp::EndOfDataReply reply;
  std::optional<Unheard> unheard;  ///< nullopt: refused
  bool is_resent = false;          ///< it was taken before: only the 250 is new
};

/// Why content that is arriving, or has arrived, is refused: a fault in how it was sent, or of
/// storing it. nullopt: nothing so far.
std::optional<smtp::Reply> content_objection(smtp::ContentFault fault, const Intake& intake);

/// True if the reply refuses content for good for its form or size, independent of sender and
/// recipients.
bool is_about_form(const smtp::Reply& reply);

/// Accepts the message (durable, offered for delivery, logged as `received`) or says why not.
/// Nothing of a refused message is kept. A message that is sent again because our 250 was lost gets
/// 250 again and makes no second copy.
base::Task<Acceptance> accept_message(const AcceptanceParts& parts, ArrivedMessage arrived);

}  // namespace relay::inbound
