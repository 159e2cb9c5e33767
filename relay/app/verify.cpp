#include "relay/app/verify.hpp"

#include <algorithm>
#include <utility>

#include "relay/auth/message_check.hpp"
#include "relay/auth/results/field.hpp"
#include "relay/auth/signing_policy.hpp"
#include "relay/mail/author.hpp"
#include "relay/mail/header.hpp"

namespace relay::app {

namespace {

struct Parts {
  std::string_view header;
  std::string_view body;
};

/// As the intake cuts it: the header with its last CRLF, the body behind the empty line.
Parts parts_of(std::string_view content) {
  if (content.starts_with("\r\n")) return {{}, content.substr(2)};
  const std::size_t end = content.find("\r\n\r\n");
  if (end == std::string_view::npos) return {content, {}};
  return {content.substr(0, end + 2), content.substr(end + 4)};
}

std::string signing_domain(const Policies& policies, std::string_view header) {
  const auto author = mail::author_domain(header);
  const auth::SigningDomain* signer =
      auth::choose_signing_domain(policies.signing->domains, author ? author->folded() : "", false,
                                  auth::OrganisationalDomain());
  return signer ? signer->domain : std::string();
}

auth::CheckResult check(const auth::CheckOptions& options, OfflineLookups& lookups,
                        ports::Resolver& resolver, const StoredMessage& message) {
  const Parts parts = parts_of(message.content);
  auth::dkim::BodyHashes hashes;
  auth::MessageCheck check(resolver, lookups.clock(), lookups.executor(),
                           std::make_shared<const auth::CheckOptions>(options),
                           {message.client, message.helo, message.sender});
  check.on_header(parts.header, hashes);
  hashes.update(parts.body);
  hashes.finish();
  return lookups.await(check.finish(hashes));
}

void decide(const forward::Planner& planner, const StoredMessage& message, base::WallTime now,
            Verification& into) {
  const forward::Strategy& strategy = planner.strategy();
  if (!message.recipient) {
    into.decisions.push_back({"", strategy.choose(into.evidence, planner.default_dmarc(), "")});
    return;
  }
  const auto resolution = planner.resolve(*message.recipient, message.sender, now);
  if (const auto* refused = std::get_if<forward::Rejection>(&resolution)) {
    into.refusal = *refused;
    return;
  }
  const auto* taken = std::get_if<forward::ResolvedRecipient>(&resolution);
  if (taken == nullptr) return;  // a stored sender: only the running relay knows whose
  for (const mail::Mailbox& target : taken->targets) {
    auto choice = strategy.choose(into.evidence, taken->dmarc, target.domain().folded());
    if (choice.refusal && !into.refusal) into.refusal = choice.refusal;
    into.decisions.push_back({target.to_string(), std::move(choice)});
  }
}

}  // namespace

Verification verify_message(const Policies& policies, OfflineLookups& lookups,
                            const StoredMessage& message) {
  RecordedResolver resolver(lookups.resolver());
  // The command verifies even where the daemon is told not to.
  auth::CheckOptions options = policies.inbound->check
                                   ? *policies.inbound->check
                                   : auth::CheckOptions{.receiver = policies.settings->hostname};
  auto found = check(options, lookups, resolver, message);
  Verification out;
  out.evidence = {.verdicts = std::move(found.verdicts),
                  .sender = message.sender,
                  .egress_spf = found.egress,
                  .sealer_saw_pass = found.sealer_saw_pass,
                  .signing_domain = signing_domain(policies, parts_of(message.content).header)};
  mail::Client client;
  client.address = message.client.to_string();
  client.helo = message.helo;
  out.results = auth::results::results_value(policies.settings->auth.authserv_id,
                                             {.verdicts = out.evidence.verdicts,
                                              .sender = out.evidence.sender,
                                              .client = client,
                                              .smtputf8 = false});
  decide(*policies.inbound->planner, message, lookups.clock().wall(), out);
  out.answers = resolver.answers();
  return out;
}

}  // namespace relay::app
