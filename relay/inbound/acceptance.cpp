#include "relay/inbound/acceptance.hpp"

#include <chrono>
#include <expected>
#include <memory>
#include <optional>
#include <utility>

#include "relay/inbound/accepted_reply.hpp"
#include "relay/inbound/consent.hpp"
#include "relay/inbound/events.hpp"
#include "relay/inbound/front.hpp"
#include "relay/mail/author.hpp"
#include "relay/mail/header.hpp"

namespace relay::inbound {

namespace {

/// A message up to this size goes to delivery by memory; a bigger one is read from the queue again.
constexpr std::uint64_t kMaxFreshOctets = 64ULL * 1024;

smtp::Reply as_reply(const forward::Rejection& rejection) {
  return {rejection.code, rejection.status, rejection.text};
}

smtp::Reply reply_for(smtp::ContentFault fault) {
  if (fault == smtp::ContentFault::TooLarge) return {552, {5, 3, 4}, smtp::describe(fault)};
  return {550, {5, 6, 0}, smtp::describe(fault)};
}

/// Everything about the content that speaks against the message, cheapest first.
std::optional<smtp::Reply> content_objection(const ArrivedMessage& arrived) {
  if (arrived.fault != smtp::ContentFault::None) return reply_for(arrived.fault);
  if (arrived.intake.fault()) return arrived.intake.fault();

  const std::string& block = arrived.intake.header_block();
  if (arrived.transaction.is_bounce() &&
      arrived.intake.size() > block.size() + arrived.transaction.policy().limits.max_bounce_body) {
    return smtp::Reply(552, {5, 3, 4}, "Too large for a bounce");
  }
  const auto fields = mail::split_header(block);
  // A line that is no field is the sender's affair: what came in goes out.
  if (!fields && fields.error() != mail::HeaderError::Malformed) {
    return smtp::Reply(552, {5, 3, 4}, mail::describe(fields.error()));
  }
  const auto looping = arrived.transaction.policy().loop_guard.check(block);
  if (looping) return as_reply(*looping);
  return std::nullopt;
}

/// Of the header, without brackets; "" when there is none fit to print.
std::string message_id_in(const std::string& header_block) {
  const std::string id = mail::message_id_of(header_block);
  return id.empty() ? id : id.substr(1, id.size() - 2);
}

mail::AcceptedMessage accepted_message(const ArrivedMessage& arrived, base::WallTime now,
                                       Front front) {
  const mail::Envelope& envelope = arrived.envelope;
  mail::AcceptedMessage message;
  message.id = arrived.intake.id();
  message.received_at = now;
  message.reverse_path = envelope.reverse_path;
  message.body = envelope.body;
  message.smtputf8 = envelope.smtputf8;
  message.client = arrived.client;
  message.trace_fields = std::move(front.trace_fields);
  message.seal_fields = std::move(front.seal_fields);
  message.rewritten_head = std::move(front.rewritten_head);
  if (!message.rewritten_head.empty()) {
    message.header_octets = static_cast<std::uint32_t>(arrived.intake.header_block().size());
  }
  message.size = arrived.intake.size();
  message.message_id = message_id_in(arrived.intake.header_block());
  return message;
}

mail::QueuedMessage queued_message(const ports::NewMessage& fresh) {
  mail::QueuedMessage queued{fresh.message, {}};
  queued.recipients.reserve(fresh.routes.size());
  for (const mail::Route& route : fresh.routes) {
    const auto state = route.held ? mail::RecipientState::Held : mail::RecipientState::Waiting;
    queued.recipients.push_back(
        {.route = route, .state = state, .next_due = fresh.message.received_at});
  }
  return queued;
}

ports::NewMessage new_message(const ArrivedMessage& arrived, forward::Plan plan, Front front,
                              base::WallTime now) {
  ports::NewMessage stored;
  // Without a header that can be rewritten those copies leave as they came.
  if (front.rewritten_head.empty()) {
    for (mail::Route& route : plan.routes) route.handling.new_author = false;
  }
  stored.message = accepted_message(arrived, now, std::move(front));
  stored.routes = std::move(plan.routes);
  stored.tokens = std::move(plan.tokens);
  stored.content_sha256 = arrived.intake.content_sha256();
  stored.content = arrived.intake.release_rest();
  stored.max_awaiting = arrived.transaction.policy().max_awaiting;
  return stored;
}

Acceptance refused(const smtp::Reply& reply) {
  return {smtp::EndOfDataReply::refused(reply), std::nullopt};
}

ResendKey key_of(const ArrivedMessage& arrived, const std::string& content_sha256) {
  std::vector<std::string> paths;
  for (const auto& recipient : arrived.transaction.recipients()) {
    paths.push_back(recipient.original.to_string());
  }
  return resend_key(arrived.client.address, arrived.envelope.reverse_path.to_string(), paths,
                    content_sha256);
}

}  // namespace

base::Task<Acceptance> accept_message(Services& services, ArrivedMessage arrived) {
  arrived.intake.end();
  if (const auto objection = content_objection(arrived)) co_return refused(*objection);
  ResendKey key = key_of(arrived, arrived.intake.content_sha256());
  if (const auto before = services.resends.find(key, services.clock.steady())) {
    services.log.write(resent_event(before->id(), arrived.client, services.clock.wall()));
    co_return Acceptance{AcceptedReply::of(*before), std::pair(std::move(key), *before)};
  }
  const auto evidence = co_await gather_evidence(services, arrived);
  const base::WallTime now = services.clock.wall();
  const forward::Planner& planner = *arrived.transaction.policy().planner;
  auto plan = planner.plan(arrived.envelope.reverse_path, arrived.transaction.recipients(),
                           arrived.client.address, now, evidence);
  if (!plan) {
    if (evidence) services.log.write(verdicts_event(arrived.client, *evidence, now));
    co_return refused(as_reply(plan.error()));
  }
  if (evidence) {
    const auto replayed = services.abuse.objection_to_replay(
        evidence->verdicts.dkim, plan->routes.size(), arrived.transaction.policy().abuse);
    if (replayed) co_return refused(*replayed);
  }
  auto front = co_await make_front(services, arrived, *plan, evidence, now);
  if (!front) co_return refused({451, {4, 3, 0}, "Local error, try again later"});

  auto stored = new_message(arrived, std::move(*plan), std::move(*front), now);
  if (evidence)
    stored.message.sender_authenticated =
        forward::is_sender_proven(planner.strategy().identities(), *evidence);
  ports::FreshMessage fresh{queued_message(stored), nullptr};
  if (arrived.intake.size() <= kMaxFreshOctets) {
    fresh.content = std::make_shared<const std::string>(stored.content);
  }
  // Whoever looks at the queue from the commit on leaves the message to the offer below.
  ports::ExpectedMessage expected(services.feed, stored.message.id);
  const auto proof = co_await services.queue.commit(std::move(stored));
  if (!proof) {
    // It may be stored all the same: then the queue has it, and its chunks are not ours to discard.
    if (proof.error() == ports::SpoolError::Unknown) arrived.intake.keep();
    co_return refused(inbound::reply_for(proof.error()));
  }
  arrived.intake.keep();
  co_await release_if_confirmed(services, fresh.queued);
  services.log.write(received_event(fresh.queued, arrived.transaction.recipients(), evidence));
  expected.offer(std::move(fresh));
  co_return Acceptance{AcceptedReply::of(*proof), std::pair(std::move(key), *proof)};
}

}  // namespace relay::inbound
