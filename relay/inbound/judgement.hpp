// What becomes of a message whose content has come in: verdicts, plan, and what stands in front of
// each copy. One function for the session and for `srs-relay verify`, so that the one cannot say
// what the other does not do. Stores nothing and sends nothing.
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

/// The references are the caller's, who awaits.
struct JudgedMessage {
  const mail::Envelope& envelope;
  const mail::ReversePath& sender;  ///< of the envelope, or whom that stands for
  const mail::Client& client;
  const std::vector<forward::ResolvedRecipient>& recipients;  ///< at least one
  const ContentReader& content;                               ///< at its end
  std::uint64_t size = 0;                                     ///< of the content, in octets
  mail::MessageId id;
  auth::MessageCheck* check = nullptr;  ///< null: incoming mail is not verified
  /// Who connected, where that is not the client itself: what we say in Received.
  const mail::Client* handed_over_by = nullptr;
  forward::LateRefusal late = forward::LateRefusal::Refuse;
  std::string unwelcome = {};  ///< see forward::Incoming
};

/// Header fields of ours, each CRLF-terminated; see mail::AcceptedMessage.
struct Front {
  std::string trace_fields;
  std::string seal_fields;
  std::string rewritten_head;
};

struct Judgement {
  std::optional<forward::Evidence> evidence;  ///< nullopt: incoming mail is not verified
  /// What the client hears when the message is refused.
  std::expected<forward::Plan, smtp::Reply> plan;
  std::vector<forward::Choice> refused_by;  ///< what had been decided when it was refused
  Front front;                              ///< of a plan
};

/// What a client hears of a message that its recipients do not take in this size.
smtp::Reply too_large();

/// The sender may be told of copies that fail.
bool may_be_told(const Policy& policy, const mail::ReversePath& sender,
                 const std::optional<forward::Evidence>& evidence);

/// Asked when there is a plan, before anything is signed: a reply refuses the message.
using PlanObjection = std::function<std::optional<smtp::Reply>(
    const std::optional<forward::Evidence>&, const forward::Plan&)>;

base::Task<Judgement> judge(ports::Signer& signer, const Policy& policy, JudgedMessage message,
                            const ports::Clock& clock, PlanObjection objection = {});

}  // namespace relay::inbound
