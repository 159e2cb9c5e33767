#include "relay/app/verify.hpp"

#include <utility>

#include "relay/auth/message_check.hpp"
#include "relay/auth/openssl_signer.hpp"
#include "relay/auth/results/field.hpp"
#include "relay/base/published.hpp"
#include "relay/base/ulid.hpp"
#include "relay/inbound/judgement.hpp"

namespace relay::app {

namespace {

/// The recipients of the message, as far as they can be determined here.
struct Recipients {
  std::vector<forward::ResolvedRecipient> taken;
  std::optional<smtp::Reply> refusal;
  bool have_targets = false;  ///< `taken` has real targets
};

forward::ResolvedRecipient anybody(const forward::Planner& planner) {
  forward::ResolvedRecipient recipient{.original = mail::ForwardPath::bare_postmaster(),
                                       .targets = {},
                                       .rule = {},
                                       .dmarc = planner.default_dmarc()};
  recipient.targets.push_back(*mail::Mailbox::parse("anybody@target.invalid"));
  return recipient;
}

Recipients recipients_of(const forward::Planner& planner, const StoredMessage& message,
                         base::WallTime now) {
  Recipients out;
  if (message.recipient) {
    auto resolution = planner.resolve(*message.recipient, now);
    if (const auto* refused = std::get_if<forward::Rejection>(&resolution)) {
      out.refusal = smtp::Reply(refused->code, refused->status, refused->text);
    } else if (auto* found = std::get_if<forward::ResolvedRecipient>(&resolution)) {
      out.taken.push_back(std::move(*found));
      out.have_targets = true;
      return out;
    }
  }
  // No recipient is given, it is refused, or it is a token that only the running relay can look up:
  // show what would be decided for some target.
  out.taken.push_back(anybody(planner));
  out.taken.back().is_bounce = message.recipient && !out.refusal;
  return out;
}

/// This command verifies even if the daemon does not.
inbound::Policy verifying(const Policies& policies) {
  inbound::Policy policy = *policies.inbound;
  if (!policy.check) {
    policy.check = std::make_shared<const auth::CheckOptions>(
        auth::CheckOptions{.receiver = policies.settings->hostname});
  }
  return policy;
}

std::vector<TargetDecision> decisions_of(const inbound::Judgement& judgement,
                                         const Recipients& recipients) {
  std::vector<TargetDecision> decisions;
  if (judgement.plan) {
    const forward::Plan& plan = *judgement.plan;
    for (std::size_t i = 0; i < plan.chosen.size(); ++i) {
      const mail::Route& route = plan.routes[i];
      std::string target = recipients.have_targets ? route.target.to_string() : std::string();
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
  RecordedResolver resolver(lookups.resolver());
  const inbound::Policy policy = verifying(policies);
  const base::WallTime now = lookups.clock().wall();
  Recipients recipients = recipients_of(*policy.planner, message, now);
  auth::MessageCheck check(resolver, lookups.clock(), lookups.executor(), policy.check,
                           {message.client, message.helo, message.sender});
  inbound::ContentReader content([&check](const mail::Header&) { return &check; },
                                 {policy.authserv_id});
  content.take(message.content);
  content.end();

  mail::Client client;
  client.address = message.client.to_string();
  client.helo = message.helo;
  mail::Envelope envelope;
  envelope.reverse_path = message.sender;
  const base::Published<auth::SigningKeys> keys(policies.signing);
  auth::OpensslSigner signer(keys, 0, {});
  auto judgement = lookups.await(inbound::judge(signer, policy,
                                                {.envelope = envelope,
                                                 .sender = envelope.reverse_path,
                                                 .client = client,
                                                 .recipients = recipients.taken,
                                                 .content = content,
                                                 .size = message.content.size(),
                                                 .id = base::Ulid::generate(now),
                                                 .check = &check},
                                                lookups.clock()));
  Verification out;
  if (judgement.evidence) out.evidence = std::move(*judgement.evidence);
  out.results = auth::results::results_value(policy.authserv_id, {.verdicts = out.evidence.verdicts,
                                                                  .sender = out.evidence.sender,
                                                                  .client = client,
                                                                  .smtputf8 = false});
  out.refusal = recipients.refusal;
  if (!out.refusal) {
    out.decisions = decisions_of(judgement, recipients);
    if (!judgement.plan) out.refusal = judgement.plan.error();
  }
  out.answers = resolver.answers();
  return out;
}

}  // namespace relay::app
