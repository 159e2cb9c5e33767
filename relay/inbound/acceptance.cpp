#include "relay/inbound/acceptance.hpp"

#include <algorithm>
#include <chrono>
#include <expected>
#include <memory>
#include <optional>
#include <utility>

#include "relay/base/text.hpp"
#include "relay/inbound/accepted_reply.hpp"
#include "relay/inbound/consent.hpp"
#include "relay/inbound/events.hpp"
#include "relay/inbound/judgement.hpp"
#include "relay/inbound/late_objection.hpp"
#include "relay/ports/intake_queue.hpp"
#include "relay/ports/new_message.hpp"
#include "relay/ports/token_store.hpp"

namespace relay::inbound {

namespace {

using forward::LateRefusal;

/// A message up to this size goes to delivery in memory; a bigger one is read from the queue again.
constexpr std::uint64_t kMaxFreshOctets = 64ULL * 1024;

bool awaits_consent(const mail::QueuedMessage& message) {
  return std::ranges::any_of(message.recipients,
                             [](const auto& copy) { return !copy.route.awaits.empty(); });
}

smtp::Reply reply_for(smtp::ContentFault fault) {
  if (fault == smtp::ContentFault::TooLarge) return {552, {5, 3, 4}, smtp::describe(fault)};
  return {550, {5, 6, 0}, smtp::describe(fault)};
}

/// The Message-ID of the header, without brackets; "" if there is none fit to print.
std::string message_id_in(const mail::Header& header) {
  const std::string id = header.message_id();
  return id.empty() ? id : id.substr(1, id.size() - 2);
}

/// The envelope sender; if that is an SRS address of ours, the sender it stands for.
const mail::ReversePath& sender_of(const ArrivedMessage& arrived) {
  const auto& behind = arrived.transaction.stands_for();
  return behind ? *behind : arrived.envelope.reverse_path;
}

/// The limits that are charged when content is accepted: bounces, sender domain, DKIM replay.
std::optional<smtp::Reply> limit_objection(const AcceptanceParts& parts,
                                           const ArrivedMessage& arrived,
                                           const std::optional<forward::Evidence>& evidence,
                                           const forward::Plan& plan) {
  const Policy& policy = arrived.transaction.policy();
  if (arrived.transaction.is_bounce()) {
    const forward::ResolvedRecipient& back = arrived.transaction.recipients().front();
    const BounceAddress bounce{base::lower(back.original.to_string()),
                               base::lower(back.first_target().to_string()), back.weak};
    auto wait = parts.bounces.take(bounce, arrived.client().origin,
                                   arrived.transaction.bounce_limits(), parts.clock.steady());
    if (wait) return wait;
  }
  if (policy.abuse.rates.per_sender_domain.count > 0) {  // 0: the sender need not be known
    // A domain that nothing proves is counted together with the client's network: a false claim
    // must not use up the limit of the domain's owner.
    const bool proven =
        evidence && forward::is_sender_proven(policy.planner->strategy().identities(), *evidence);
    const Client& client = arrived.client();
    if (proven || !client.is_exempt) {
      auto often = parts.abuse.objection_to_sender(sender_of(arrived).folded(),
                                                   proven ? nullptr : &client.origin, policy.abuse);
      if (often) return often;
    }
  }
  if (!evidence) return std::nullopt;
  const auto leaving = std::ranges::count_if(plan.routes, [](const mail::Route& route) {
    return route.ended == mail::End::None && !route.stands_by;
  });
  return parts.abuse.objection_to_replay(evidence->verdicts.dkim, static_cast<std::size_t>(leaving),
                                         policy.abuse);
}

mail::AcceptedMessage accepted_message(const ArrivedMessage& arrived, Front front) {
  const mail::Envelope& envelope = arrived.envelope;
  const mail::Header& header = *arrived.intake.reader().header();
  mail::AcceptedMessage message;
  message.id = arrived.intake.id();
  // A message to an SRS address gets the null sender, so that nothing answers it (RFC 5321 §4.5.5).
  if (!arrived.transaction.is_bounce()) message.reverse_path = sender_of(arrived);
  message.body = envelope.body;
  message.smtputf8 = envelope.smtputf8;
  message.client = arrived.client().named;
  message.trace_fields = std::move(front.trace_fields);
  message.seal_fields = std::move(front.seal_fields);
  message.rewritten_head = std::move(front.rewritten_head);
  if (!message.rewritten_head.empty()) {
    message.header_octets = static_cast<std::uint32_t>(header.block().size());
  }
  message.size = arrived.intake.size();
  message.message_id = message_id_in(header);
  return message;
}

mail::QueuedMessage queued_message(const ports::NewMessage& fresh, base::WallTime now) {
  mail::QueuedMessage queued{fresh.message, {}, now};
  queued.recipients.reserve(fresh.routes.size());
  for (const mail::Route& route : fresh.routes) {
    queued.recipients.push_back({.route = route,
                                 .state = mail::state_on_entry(route),
                                 .next_due = now,
                                 .last = mail::attempt_on_entry(route, now),
                                 .end = route.ended});
  }
  return queued;
}

ports::NewMessage new_message(const ArrivedMessage& arrived, forward::Plan plan, Front front,
                              const ResendKey& key) {
  ports::NewMessage stored;
  // The header could not be rewritten: these copies leave with the author they came with.
  if (front.rewritten_head.empty()) {
    for (mail::Route& route : plan.routes) route.handling.new_author = false;
  }
  stored.message = accepted_message(arrived, std::move(front));
  stored.routes = std::move(plan.routes);
  stored.tokens = std::move(plan.tokens);
  stored.content_sha256 = arrived.intake.content_sha256();
  stored.resend_key = key;
  stored.content = arrived.intake.release_rest();
  stored.max_awaiting = arrived.transaction.policy().max_awaiting;
  return stored;
}

/// Senders that do not fit into an SRS address are stored, up to a quota. Over the quota the mail
/// is forwarded all the same, but bounces cannot reach the sender.
base::Task<> find_room_for_sender(const AcceptanceParts& parts, const ArrivedMessage& arrived,
                                  const std::optional<forward::Evidence>& evidence,
                                  std::string unwelcome, forward::Plan& plan) {
  if (plan.tokens.empty()) co_return;
  const auto room = co_await parts.tokens.has_room(plan.tokens.front());
  if (!room || *room) co_return;  // storing the message will report an error of the queue
  const base::WallTime now = parts.clock.wall();
  parts.log.write(sender_not_stored_event(arrived.intake.id(), plan.tokens.front(), now));
  forward::Incoming message{arrived.intake.id(), sender_of(arrived), arrived.client().named.address,
                            now, arrived.intake.size()};
  message.unwelcome = std::move(unwelcome);
  arrived.transaction.policy().planner->give_up_sender(plan, message, evidence);
}

LateRefusal late_refusal(const ArrivedMessage& arrived) {
  const GatewayPolicy* gateway = arrived.transaction.gateway();
  return gateway == nullptr ? LateRefusal::Refuse : gateway->refusals;
}

/// `unwelcome`: see forward::Incoming.
JudgedMessage judged_message(const ArrivedMessage& arrived, std::string unwelcome) {
  return {.envelope = arrived.envelope,
          .sender = sender_of(arrived),
          .client = arrived.client().named,
          .recipients = arrived.transaction.recipients(),
          .content = arrived.intake.reader(),
          .size = arrived.intake.size(),
          .id = arrived.intake.id(),
          .check = arrived.check,
          .handed_over_by = &arrived.transaction.handed_over_by().named,
          .late = late_refusal(arrived),
          .unwelcome = std::move(unwelcome)};
}

Acceptance refused(const smtp::Reply& reply) {
  return {smtp::EndOfDataReply::refused(reply), std::nullopt};
}

ResendKey key_of(const ArrivedMessage& arrived, const std::string& content_sha256) {
  std::vector<std::string> paths;
  for (const auto& recipient : arrived.transaction.recipients()) {
    paths.push_back(recipient.original.to_string());
  }
  return resend_key(arrived.client().named.address, arrived.envelope.reverse_path.to_string(),
                    paths, content_sha256);
}

/// The message, and its copies that have ended already.
void log_accepted(base::Log& log, const mail::QueuedMessage& queued, const Transaction& transaction,
                  const std::optional<forward::Evidence>& evidence, bool owes_notices,
                  base::WallTime now) {
  log.write(
      received_event(queued, transaction.recipients(), evidence, dialogue_of(transaction), now));
  for (base::Event& event : ended_events(queued, owes_notices, now)) log.write(std::move(event));
}

}  // namespace

std::optional<smtp::Reply> content_objection(smtp::ContentFault fault, const Intake& intake) {
  if (fault != smtp::ContentFault::None) return reply_for(fault);
  return intake.fault();
}

bool is_about_form(const smtp::Reply& reply) {
  const mail::EnhancedStatus& status = reply.status();
  return status == mail::EnhancedStatus{5, 6, 0} || status == mail::EnhancedStatus{5, 3, 4};
}

base::Task<Acceptance> accept_message(const AcceptanceParts& parts, ArrivedMessage arrived) {
  arrived.intake.end();
  if (const auto wrong = content_objection(arrived.fault, arrived.intake)) {
    co_return refused(*wrong);
  }
  ResendKey key = key_of(arrived, arrived.intake.content_sha256());
  if (const auto before = parts.resends.find(key, parts.clock.steady())) {
    parts.log.write(
        resent_event(before->id(), dialogue_of(arrived.transaction), parts.clock.wall()));
    co_return Acceptance{.reply = AcceptedReply::of(*before),
                         .unheard = Unheard{std::move(key), *before, true},
                         .is_resent = true};
  }
  const Policy& policy = arrived.transaction.policy();
  auto late = co_await late_objection(parts.abuse, arrived.transaction, arrived.session_end);
  if (late && (late->code() < 500 || late_refusal(arrived) == LateRefusal::Refuse)) {
    co_return refused(*late);
  }
  const std::string unwelcome = late ? late->text() : std::string();
  auto judgement = co_await judge(parts.signer, policy, judged_message(arrived, unwelcome),
                                  parts.clock, [&](const auto& found, const forward::Plan& made) {
                                    return limit_objection(parts, arrived, found, made);
                                  });
  const base::WallTime now = parts.clock.wall();
  const auto& evidence = judgement.evidence;
  auto& plan = judgement.plan;
  if (!plan) {
    if (evidence) {
      const Dialogue dialogue = dialogue_of(arrived.transaction);
      parts.log.write(verdicts_event(arrived.intake.id(), dialogue, *evidence, now));
    }
    co_return refused(plan.error());
  }
  co_await find_room_for_sender(parts, arrived, evidence, unwelcome, *plan);
  auto stored = new_message(arrived, std::move(*plan), std::move(judgement.front), key);
  if (evidence)
    stored.message.sender_authenticated =
        forward::is_sender_proven(policy.planner->strategy().identities(), *evidence);
  const bool owes_notices = may_be_told(policy, stored.message.reverse_path, evidence);
  stored.owes_notices = owes_notices;
  ports::FreshMessage fresh{queued_message(stored, parts.queue.now()), nullptr};
  if (arrived.intake.size() <= kMaxFreshOctets) {
    fresh.content = std::make_shared<const std::string>(stored.content);
  }
  // From the commit to the offer below, queue readers leave this message alone.
  ports::ExpectedMessage expected(parts.feed, stored.message.id);
  const auto proof = co_await parts.queue.commit(std::move(stored));
  if (!proof) {
    // It may be stored all the same. The queue then owns its chunks, so do not discard them.
    if (proof.error() == ports::SpoolError::Unknown) arrived.intake.keep();
    co_return refused(inbound::reply_for(proof.error()));
  }
  arrived.intake.keep();
  if (awaits_consent(fresh.queued))
    co_await release_if_confirmed(parts.consent, parts.policy, fresh.queued);
  log_accepted(parts.log, fresh.queued, arrived.transaction, evidence, owes_notices, now);
  const bool has_message_id = !fresh.queued.message.message_id.empty();
  expected.offer(std::move(fresh));
  if (has_message_id) parts.resends.remember(key, *proof, parts.clock.steady());
  co_return Acceptance{AcceptedReply::of(*proof), Unheard{std::move(key), *proof, has_message_id}};
}

}  // namespace relay::inbound
