// Judges a message whose content has arrived: verdicts, plan, and the fields in front of each copy.
// The session and `srs-relay verify` use this one function, so that they cannot differ. Stores
// nothing and sends nothing.
#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "relay/auth/message_check.hpp"
#include "relay/base/task.hpp"
#include "relay/forward/planner.hpp"
#include "relay/inbound/content_reader.hpp"
#include "relay/inbound/policy.hpp"
#include "relay/mail/envelope.hpp"
#include "relay/ports/clock.hpp"
#include "relay/ports/signer.hpp"
#include "relay/smtp/reply.hpp"

namespace relay::inbound {

/// The references belong to the caller, who awaits.
struct JudgedMessage {
  const mail::Envelope& envelope;
  const mail::ReversePath& sender;  ///< the envelope sender, or whom an SRS address stands for
  const mail::Client& client;
  const std::vector<forward::ResolvedRecipient>& recipients;  ///< at least one
  const ContentReader& content;                               ///< end() was called
  std::uint64_t size = 0;                                     ///< of the content, in octets
  mail::MessageId id;
  auth::MessageCheck* check = nullptr;  ///< null: incoming mail is not verified
  /// Who connected, if that is not the client: Received names it. Null: the client.
  const mail::Client* handed_over_by = nullptr;
  forward::LateRefusal late = forward::LateRefusal::Refuse;
  std::string unwelcome = {};  ///< see forward::Incoming
};

/// Header fields we add, each CRLF-terminated; see mail::AcceptedMessage.
struct Front {
  std::string trace_fields;
  std::string seal_fields;
  std::string rewritten_head;
};

struct Judgement {
  std::optional<forward::Evidence> evidence;  ///< nullopt: incoming mail is not verified
  /// Or the reply to the client: the message is refused.
  std::expected<forward::Plan, smtp::Reply> plan;
  std::vector<forward::Choice> refused_by;  ///< the choices made for a plan that was refused
  Front front;                              ///< only with a plan
};

/// The reply to a message that is larger than its recipients take.
smtp::Reply too_large();

/// Whether DSNs may go to this sender.
bool may_be_told(const Policy& policy, const mail::ReversePath& sender,
                 const std::optional<forward::Evidence>& evidence);

/// Called when the plan is made, before anything is signed. A reply refuses the message.
using PlanObjection = std::function<std::optional<smtp::Reply>(
    const std::optional<forward::Evidence>&, const forward::Plan&)>;

base::Task<Judgement> judge(ports::Signer& signer, const Policy& policy, JudgedMessage message,
                            const ports::Clock& clock, PlanObjection objection = {});

}  // namespace relay::inbound
