#include "relay/inbound/recipient_gate.hpp"

#include <memory>
#include <utility>
#include <variant>

#include "relay/base/text.hpp"
#include "relay/inbound/intake.hpp"
#include "relay/inbound/judgement.hpp"
#include "relay/inbound/verification.hpp"
#include "relay/ports/consent_queue.hpp"
#include "relay/ports/token_store.hpp"

namespace relay::inbound {

namespace {

constexpr mail::EnhancedStatus kUnknownUser{5, 1, 1};
/// The recipient is right, but needs a transaction of its own (RFC 3463 §3.6).
constexpr mail::EnhancedStatus kNoRoom{4, 5, 3};

smtp::Reply local_error() { return {451, {4, 3, 0}, "Local error, try again later"}; }

/// Mail to postmaster is always taken (RFC 5321 §4.5.1).
bool is_postmaster(const mail::ForwardPath& path) {
  return path.is_bare_postmaster() ||
         base::equal_ignoring_case(path.mailbox().local_part(), "postmaster");
}

}  // namespace

base::Task<std::optional<smtp::Reply>> RecipientGate::objection(
    OpenMessage message, mail::ForwardPath forward_path) const {
  // An SRS address is no attempt at a name: right and wrong ones have limits of their own
  // (BounceGuard), and attempts at names never put off a right one.
  if (message.transaction.policy().planner->directory().is_bounce_address(forward_path)) {
    co_return co_await objection_to(message, std::move(forward_path));
  }
  const bool is_forgivable = !is_postmaster(forward_path);
  if (auto flood = attempt_objection(message, forward_path)) co_return flood;
  auto answer = co_await objection_to(message, std::move(forward_path));
  if (is_forgivable) settle_attempt(message, answer);
  co_return answer;
}

RecipientGate::Objection RecipientGate::attempt_objection(
    const OpenMessage& message, const mail::ForwardPath& forward_path) const {
  return parts_.abuse.objection_to_attempt(message.client().counted(), is_postmaster(forward_path),
                                           message.transaction.policy().abuse);
}

/// A recipient that is accepted is forgiven when its message is taken, not before: otherwise RCPT
/// and RSET could be said without end. So is one that only has to come in another transaction.
void RecipientGate::settle_attempt(const OpenMessage& message, const Objection& answer) const {
  if (!answer || answer->status() == kNoRoom) {
    message.transaction.note_forgivable();
  } else if (parts_.troubles.behind(*answer, parts_.clock.steady())) {
    parts_.abuse.forgive_attempts(message.client().counted(), 1,
                                  message.transaction.policy().abuse);
  }
}

base::Task<RecipientGate::Objection> RecipientGate::objection_to(
    OpenMessage message, mail::ForwardPath forward_path) const {
  auto borrowed = co_await sender_objection(message);
  if (borrowed) co_return borrowed;
  auto unwelcome = co_await client_objection(message, forward_path);
  if (unwelcome) co_return unwelcome;
  const Policy& policy = message.transaction.policy();
  const bool has_tag = policy.planner->directory().is_bounce_address(forward_path);
  forward::Resolution resolution = co_await resolve(message, std::move(forward_path));
  if (const auto* rejection = std::get_if<forward::Rejection>(&resolution)) {
    // A client that asks for an SRS address has not guessed a name, even if the sender behind it is
    // unknown.
    if (!has_tag && rejection->status == kUnknownUser) {
      parts_.abuse.note_unknown(message.client().counted(), policy.abuse);
    }
    co_return refusal(message, *rejection);
  }
  auto* resolved = std::get_if<forward::ResolvedRecipient>(&resolution);
  if (resolved == nullptr) co_return local_error();
  // Before any other objection: each of them would say that the tag is right.
  if (resolved->guessable) {
    if (auto wait = guessable_objection(message)) co_return wait;
  }
  if (!resolved->takes(message.envelope.declared_size)) co_return too_large();
  auto unconfirmed = co_await consent_objection(message, *resolved);
  if (unconfirmed) co_return unconfirmed;
  auto early = co_await admission_objection(message, *resolved);
  if (early) co_return early;
  if (auto full = room_objection(message, *resolved)) co_return full;
  message.transaction.add(std::move(*resolved));
  begin_check(message);
  co_return std::nullopt;
}

/// The envelope sender is in our SRS domain. If it is an address that we made for a copy, the
/// message is handled as from the sender behind it. Any other address in that domain is refused.
/// Guesses at tags learn as much from MAIL FROM as from RCPT, so both count alike.
base::Task<RecipientGate::Objection> RecipientGate::sender_objection(
    const OpenMessage& message) const {
  Transaction& transaction = message.transaction;
  const forward::Planner& planner = *transaction.policy().planner;
  const mail::ReversePath& sender = message.envelope.reverse_path;
  if (!planner.directory().is_srs_sender(sender) || transaction.stands_for())
    co_return std::nullopt;
  auto behind = planner.directory().sender_behind(sender, parts_.clock.wall());
  if (!behind) co_return refusal(message, behind.error());
  if (behind->guessable) {
    if (auto wait = guessable_objection(message)) co_return wait;
  }
  if (auto* known = std::get_if<mail::ReversePath>(&behind->sender)) {
    transaction.set_stands_for(std::move(*known));
    co_return std::nullopt;
  }
  auto found = co_await parts_.tokens.find(std::get<forward::TokenLookup>(behind->sender).token);
  if (found) {
    transaction.set_stands_for(std::move(*found));
    co_return std::nullopt;
  }
  if (found.error() != ports::SpoolError::NotFound) co_return local_error();
  co_return refusal(message, forward::SenderRewrite::bad_srs_sender());
}

base::Task<RecipientGate::Objection> RecipientGate::client_objection(
    const OpenMessage& message, const mail::ForwardPath& forward_path) const {
  const Client& client = message.client();
  if (is_postmaster(forward_path) || client.is_exempt) co_return std::nullopt;
  const Policy& current = message.transaction.policy();
  const AbusePolicy& policy = current.abuse;
  // A client that has harvested names is put off together with its network. An SRS address is no
  // such name: its tag says whether it is right, and guesses at tags have limits of their own.
  if (!current.planner->directory().is_bounce_address(forward_path)) {
    if (auto wait = parts_.abuse.objection_to_guessing(client.origin, policy)) co_return wait;
  }
  if (message.transaction.is_listed_late()) co_return std::nullopt;
  // At connect time the lists were asked about the gateway: ask now, whatever stage is set.
  const bool is_new = client.known_by == KnownBy::Xforward;
  const DnsListStage stage = is_new ? policy.dns_lists->at : DnsListStage::Recipient;
  co_return co_await parts_.abuse.objection_to_client(client.named.address, stage, policy,
                                                      message.session_end);
}

base::Task<forward::Resolution> RecipientGate::resolve(const OpenMessage& message,
                                                       mail::ForwardPath forward_path) const {
  const forward::Planner& planner = *message.transaction.policy().planner;
  const base::WallTime now = parts_.clock.wall();
  forward::Resolution resolution = planner.directory().resolve(forward_path, now);
  const auto* lookup = std::get_if<forward::TokenLookup>(&resolution);
  if (lookup == nullptr) co_return resolution;

  std::string token = lookup->token;
  const auto found = co_await parts_.tokens.find(std::move(token));
  if (found) co_return planner.directory().resolve_token(forward_path, *found, now);
  if (found.error() == ports::SpoolError::NotFound) {
    // Every SRS address that does not resolve gets this same reply.
    co_return forward::SenderRewrite::bad_srs_address();
  }
  co_return forward::Rejection{451, {4, 3, 0}, "Local error, try again later"};
}

RecipientGate::Objection RecipientGate::guessable_objection(const OpenMessage& message) const {
  return parts_.bounces.objection_to_guessable(
      message.client().origin, message.transaction.bounce_limits(), parts_.clock.steady());
}

/// The reply to a recipient that does not resolve, or to a sender that is refused: the refusal, or
/// a 4xx if the refusal would help to guess tags.
smtp::Reply RecipientGate::refusal(const OpenMessage& message,
                                   const forward::Rejection& rejection) const {
  if (rejection.bad_bounce_address) {
    if (auto wait =
            parts_.bounces.note_guess(message.client().origin, rejection.guessable,
                                      message.transaction.bounce_limits(), parts_.clock.steady())) {
      return *wait;
    }
  } else if (rejection.guessable) {
    // An expired address with a right tag must look like one with a wrong tag.
    if (auto wait = guessable_objection(message)) return *wait;
  }
  return {rejection.code, rejection.status, rejection.text};
}

base::Task<RecipientGate::Objection> RecipientGate::consent_objection(
    const OpenMessage& message, const forward::ResolvedRecipient& resolved) const {
  const Policy& policy = message.transaction.policy();
  auto awaited = policy.planner->directory().awaited(resolved);
  if (awaited.empty()) co_return std::nullopt;
  const auto waiting = co_await parts_.consent.awaiting(std::move(awaited));
  if (!waiting) co_return reply_for(waiting.error());
  if (*waiting < policy.max_awaiting) co_return std::nullopt;
  co_return reply_for(ports::SpoolError::Unconfirmed);
}

base::Task<RecipientGate::Objection> RecipientGate::admission_objection(
    const OpenMessage& message, const forward::ResolvedRecipient& resolved) const {
  const AbusePolicy& policy = message.transaction.policy().abuse;
  const Client& client = message.client();
  Admission admission{.origin = client.counted(),
                      .reverse_path = message.envelope.reverse_path.folded(),
                      .forward_path = resolved.original.folded(),
                      .targets = {},
                      .first = message.transaction.recipients().empty(),
                      .is_bounce = resolved.is_bounce,
                      .is_postmaster = is_postmaster(resolved.original)};
  if (policy.rates.per_target.count > 0) {  // 0: no limit, so the targets are not needed
    for (const mail::Mailbox& target : resolved.targets) {
      admission.targets.push_back(mail::without_tag(target.folded(), policy.rates.tag));
    }
  }
  co_return co_await parts_.abuse.objection_to_admission(std::move(admission), policy,
                                                         message.session_end);
}

RecipientGate::Objection RecipientGate::room_objection(
    const OpenMessage& message, const forward::ResolvedRecipient& resolved) const {
  const Transaction& transaction = message.transaction;
  const Limits& limits = transaction.policy().limits;
  const bool first = transaction.recipients().empty();
  // A message to an SRS address has no other recipients.
  if (!first && (resolved.is_bounce || transaction.is_bounce())) {
    return smtp::Reply(452, kNoRoom, "A bounce has one recipient");
  }
  if (resolved.is_bounce) {
    return parts_.bounces.probe(message.client().origin, transaction.bounce_limits(),
                                parts_.clock.steady());
  }
  // DMARC handling is one for the whole message: a recipient with other settings needs its own
  // transaction.
  if (!first && transaction.verifies() &&
      resolved.dmarc != transaction.recipients().front().dmarc) {
    return smtp::Reply(452, kNoRoom, "Another policy applies, send this recipient a copy");
  }
  // One alias can make many copies: max_recipients limits the copies as well.
  const std::size_t copies = transaction.targets() + resolved.copies();
  if (copies > limits.max_recipients && !first) {
    return smtp::Reply(452, kNoRoom, "Too many recipients");
  }
  return std::nullopt;
}

/// Verification begins with the first accepted recipient, so that refused recipients cause no DNS
/// queries. If Received is to name the client, it begins when the header is complete.
void RecipientGate::begin_check(const OpenMessage& message) const {
  if (message.transaction.awaits_client()) return;
  inbound::begin_check(parts_.resolver, parts_.clock, message);
}

}  // namespace relay::inbound
