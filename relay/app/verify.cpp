#include "relay/app/verify.hpp"

#include <utility>

#include "relay/app/offline_content.hpp"
#include "relay/auth/message_check.hpp"
#include "relay/auth/openssl_signer.hpp"
#include "relay/auth/results/field.hpp"
#include "relay/base/published.hpp"
#include "relay/base/ulid.hpp"
#include "relay/inbound/judgement.hpp"

namespace relay::app {

namespace {

constexpr const char* kStored =
    " is stored under a token, which only the running relay can look up";

/// The envelope as the relay would handle it, as far as that can be determined here.
struct Handled {
  mail::ReversePath sender;  ///< see Directory::sender_behind
  std::vector<forward::ResolvedRecipient> recipients;
  bool have_targets = false;  ///< of a real recipient
  std::optional<smtp::Reply> refusal;
  std::vector<std::string> notes;

  void refuse(const smtp::Reply& reply) {
    if (!refusal) refusal = reply;
  }
};

smtp::Reply reply_of(const forward::Rejection& rejection) {
  return {rejection.code, rejection.status, rejection.text};
}

forward::ResolvedRecipient anybody(const forward::Planner& planner) {
  forward::ResolvedRecipient recipient{.original = mail::ForwardPath::bare_postmaster(),
                                       .targets = {},
                                       .rule = {},
                                       .dmarc = planner.directory().default_dmarc()};
  recipient.targets.push_back(*mail::Mailbox::parse("anybody@target.invalid"));
  return recipient;
}

void find_sender(const forward::Planner& planner, const StoredMessage& message, base::WallTime now,
                 Handled& handled) {
  handled.sender = message.sender;
  auto behind = planner.directory().sender_behind(message.sender, now);
  if (!behind) return handled.refuse(reply_of(behind.error()));
  if (auto* known = std::get_if<mail::ReversePath>(&behind->sender)) {
    handled.sender = std::move(*known);
  } else {
    handled.notes.push_back(std::string("the sender behind MAIL FROM") + kStored);
  }
}

void find_recipient(const forward::Planner& planner, const StoredMessage& message,
                    base::WallTime now, Handled& handled) {
  bool is_bounce = false;
  if (message.recipient) {
    auto resolution = planner.directory().resolve(*message.recipient, now);
    if (const auto* refused = std::get_if<forward::Rejection>(&resolution)) {
      handled.refuse(reply_of(*refused));
    } else if (auto* found = std::get_if<forward::ResolvedRecipient>(&resolution)) {
      if (!found->takes(message.content.size())) handled.refuse(inbound::too_large());
      handled.recipients.push_back(std::move(*found));
      handled.have_targets = true;
      return;
    } else {
      is_bounce = true;
      handled.notes.push_back(std::string("the recipient") + kStored);
    }
  }
  // No recipient is given, it is refused, or it is a token: show what would be decided for some
  // target.
  handled.recipients.push_back(anybody(planner));
  handled.recipients.back().is_bounce = is_bounce;
}

/// This command verifies even if the daemon does not.
inbound::Policy verifying(const Policies& policies) {
  inbound::Policy policy = *policies.inbound;
  if (!policy.check) {
    policy.check = std::make_shared<const auth::CheckOptions>(
        auth::CheckOptions{.receiver = policies.inbound->hostname});
  }
  return policy;
}

std::vector<TargetDecision> decisions_of(const inbound::Judgement& judgement,
                                         const Handled& handled) {
  std::vector<TargetDecision> decisions;
  if (judgement.plan) {
    const forward::Plan& plan = *judgement.plan;
    for (std::size_t i = 0; i < plan.chosen.size(); ++i) {
      const mail::Route& route = plan.routes[i];
      std::string target = handled.have_targets ? route.target.to_string() : std::string();
      if (route.ended == mail::End::Discarded) target += " (discarded)";
      if (route.ended == mail::End::Refused) target += " (too large for it)";
      if (route.stands_by) target += " (fallback)";
      decisions.push_back({std::move(target), plan.choices[plan.chosen[i]]});
    }
  }
  for (const forward::Choice& choice : judgement.refused_by) decisions.push_back({"", choice});
  return decisions;
}

}  // namespace

Verification verify_message(const Policies& policies, OfflineLookups& lookups,
                            const StoredMessage& message) {
  // If the content is refused, lookups that have begun are not waited for.
  auto& resolver = lookups.in_front<RecordedResolver>();
  const inbound::Policy policy = verifying(policies);
  const base::WallTime now = lookups.clock().wall();
  Handled handled;
  find_sender(*policy.planner, message, now, handled);
  find_recipient(*policy.planner, message, now, handled);
  auth::MessageCheck check(resolver, lookups.clock(), lookups.executor(), policy.check,
                           {message.client, message.helo, message.sender});
  const mail::MessageId id = base::Ulid::generate(now);
  OfflineContent content(lookups, policy, id, check);
  const auto objection = content.take(message.content);

  Verification out;
  if (!objection) {
    mail::Client client;
    client.address = message.client.to_string();
    client.helo = message.helo;
    mail::Envelope envelope;
    envelope.reverse_path = message.sender;
    const base::Published<auth::SigningKeys> keys(policies.signing);
    auth::OpensslSigner signer(keys, 0, {});
    auto judgement = lookups.await(inbound::judge(signer, policy,
                                                  {.envelope = envelope,
                                                   .sender = handled.sender,
                                                   .client = client,
                                                   .recipients = handled.recipients,
                                                   .content = content.intake().reader(),
                                                   .size = content.intake().size(),
                                                   .id = id,
                                                   .check = &check},
                                                  lookups.clock()));
    if (judgement.evidence) out.evidence = std::move(*judgement.evidence);
    out.results =
        auth::results::results_value(policy.authserv_id, {.verdicts = out.evidence.verdicts,
                                                          .sender = envelope.reverse_path,
                                                          .client = client,
                                                          .smtputf8 = false});
    if (!handled.refusal) out.decisions = decisions_of(judgement, handled);
    if (!judgement.plan) handled.refuse(judgement.plan.error());
  } else {
    handled.refuse(*objection);
  }
  out.sender = std::move(handled.sender);
  out.refusal = std::move(handled.refusal);
  out.notes = std::move(handled.notes);
  out.answers = resolver.answers();
  return out;
}

}  // namespace relay::app
