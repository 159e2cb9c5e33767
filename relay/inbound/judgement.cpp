#include "relay/inbound/judgement.hpp"

#include <algorithm>
#include <utility>

#include "relay/auth/dkim/tag_list.hpp"
#include "relay/base/text.hpp"
#include "relay/inbound/front.hpp"
#include "relay/mail/author.hpp"

namespace relay::inbound {

namespace {

smtp::Reply as_reply(const forward::Rejection& rejection) {
  return {rejection.code, rejection.status, rejection.text};
}

/// Objections that need only header and size: no lookup, no verdict.
std::optional<smtp::Reply> content_objection(const Policy& policy, const JudgedMessage& message) {
  const mail::Header& header = *message.content.header();
  const std::uint64_t body =
      message.size - std::min<std::uint64_t>(message.size, header.block().size());
  if (message.recipients.front().is_bounce && body > policy.limits.bounces.max_body) {
    return smtp::Reply(552, {5, 3, 4}, "Too large for a bounce");
  }
  if (header.fields().size() + header.unreadable().size() > policy.limits.max_header_fields) {
    return smtp::Reply(552, {5, 3, 4}, "too many header fields");
  }
  if (const auto looping = policy.loop_guard.check(header)) return as_reply(*looping);
  return std::nullopt;
}

/// The verdicts about the message; waits for those still under way.
base::Task<std::optional<forward::Evidence>> gather_evidence(const ports::Signer& signer,
                                                             const JudgedMessage& message) {
  if (message.check == nullptr) co_return std::nullopt;
  auto found = co_await message.check->finish(message.content.body_hashes());
  forward::Evidence evidence;
  evidence.verdicts = std::move(found.verdicts);
  evidence.sender = message.sender;
  // The lookups were for the envelope sender. If that is an SRS address of ours, nothing is known
  // about the SPF record of the sender behind it.
  if (message.sender == message.envelope.reverse_path) evidence.egress_spf = found.egress;
  evidence.sealer_saw_pass = found.sealer_saw_pass;
  const auto author = mail::author_domain(*message.content.header());
  evidence.unwelcome = !message.unwelcome.empty();
  evidence.signing_domain = signer.domain_for(author ? author->folded() : std::string());
  co_return evidence;
}

/// Auto-Submitted marks an automatic answer (RFC 3834 §5).
bool is_automatic_answer(const mail::Header& header) {
  const auto fields = header.find("Auto-Submitted");
  return !fields.empty() && std::ranges::all_of(fields, [](const mail::HeaderField& field) {
    std::string value = base::lower(mail::unfolded(field.value));
    value = value.substr(0, value.find_first_of(" \t;("));
    return value == "auto-replied" || value == "auto-generated";
  });
}

/// A message to an SRS address with a non-null sender is taken only as an automatic answer of a
/// proven sender. Anything else would let strangers write through us.
std::optional<smtp::Reply> answer_objection(const Policy& policy, const JudgedMessage& message,
                                            const std::optional<forward::Evidence>& evidence) {
  if (!message.recipients.front().is_bounce || message.sender.is_null()) return std::nullopt;
  const bool taken = evidence && is_automatic_answer(*message.content.header()) &&
                     forward::is_sender_proven(policy.planner->strategy().identities(), *evidence);
  if (taken) return std::nullopt;
  return smtp::Reply(550, {5, 7, 1}, "This address takes bounces only");
}

/// A signature over the message lists this field name in h=: adding such a field would break it.
bool is_signed(const mail::Header& header, std::string_view name) {
  const auto names_it = [&](const mail::HeaderField& field) {
    const auto tags = auth::dkim::parse_tag_list(field.value, auth::dkim::EmptyTags::PassedOver);
    const auto names = tags ? auth::dkim::find_tag(*tags, "h") : std::nullopt;
    return names &&
           std::ranges::any_of(auth::dkim::split_value(*names, ':'), [&](std::string_view one) {
             return base::equal_ignoring_case(auth::dkim::without_spaces(one), name);
           });
  };
  return std::ranges::any_of(header.find("DKIM-Signature"), names_it) ||
         std::ranges::any_of(header.find("ARC-Message-Signature"), names_it);
}

/// No copy gets the field that names its alias if that field would break a signature.
void withhold_marks(const mail::Header& header, forward::Plan& plan) {
  for (mail::Route& route : plan.routes) {
    if (route.mark == mail::AliasMark::None) continue;
    if (!is_signed(header, mail::name(route.mark))) return;  // every route has the same mark
    route.mark = mail::AliasMark::None;
  }
}

/// Refuses a message that is too large for all recipients if no DSN may go to its sender: otherwise
/// nobody would tell the sender.
std::optional<smtp::Reply> size_objection(const Policy& policy, const JudgedMessage& message,
                                          const std::optional<forward::Evidence>& evidence,
                                          const forward::Plan& plan) {
  const bool none_left = std::ranges::all_of(
      plan.routes, [](const mail::Route& route) { return route.ended == mail::End::Refused; });
  if (!none_left || may_be_told(policy, message.sender, evidence)) return std::nullopt;
  return too_large();
}

}  // namespace

smtp::Reply too_large() { return {550, {5, 2, 3}, "This address takes no message of that size"}; }

bool may_be_told(const Policy& policy, const mail::ReversePath& sender,
                 const std::optional<forward::Evidence>& evidence) {
  if (sender.is_null()) return false;
  return policy.notices_to_anyone ||
         (evidence &&
          forward::is_sender_proven(policy.planner->strategy().identities(), *evidence));
}

base::Task<Judgement> judge(ports::Signer& signer, const Policy& policy, JudgedMessage message,
                            const ports::Clock& clock, PlanObjection objection) {
  Judgement judgement;
  if (auto reply = content_objection(policy, message)) {
    judgement.plan = std::unexpected(std::move(*reply));
    co_return judgement;
  }
  judgement.evidence = co_await gather_evidence(signer, message);
  const base::WallTime now = clock.wall();
  if (auto reply = answer_objection(policy, message, judgement.evidence)) {
    judgement.plan = std::unexpected(std::move(*reply));
    co_return judgement;
  }
  forward::Incoming incoming{message.id, message.sender, message.client.address, now, message.size};
  incoming.late = message.late;
  incoming.unwelcome = message.unwelcome;
  if (!judgement.evidence) incoming.authors = mail::author_domains(*message.content.header());
  auto plan = policy.planner->plan(incoming, message.recipients, judgement.evidence);
  if (!plan) {
    judgement.plan = std::unexpected(as_reply(plan.error()));
    judgement.refused_by = std::move(plan.error().choices);
    co_return judgement;
  }
  if (auto reply = size_objection(policy, message, judgement.evidence, *plan)) {
    judgement.plan = std::unexpected(std::move(*reply));
    co_return judgement;
  }
  if (objection) {
    if (auto reply = objection(judgement.evidence, *plan)) {
      judgement.plan = std::unexpected(std::move(*reply));
      co_return judgement;
    }
  }
  withhold_marks(*message.content.header(), *plan);
  auto front = co_await make_front(signer, policy, message, *plan, judgement.evidence, now);
  if (!front) {
    judgement.plan = std::unexpected(smtp::Reply(451, {4, 3, 0}, "Local error, try again later"));
    co_return judgement;
  }
  judgement.front = std::move(*front);
  judgement.plan = std::move(*plan);
  co_return judgement;
}

}  // namespace relay::inbound
