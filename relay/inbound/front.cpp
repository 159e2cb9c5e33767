#include "relay/inbound/front.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "relay/auth/results/field.hpp"
#include "relay/forward/trace_header.hpp"
#include "relay/mail/author.hpp"

namespace relay::inbound {

namespace {

std::string author_of(const std::string& header_block) {
  const auto author = mail::author_domain(header_block);
  return author ? author->folded() : std::string();
}

/// Held mail has no clock (ADR 15): released after a month, it must not leave with a signature that
/// has expired, so its signature never does.
ports::SignRequest sign_request(const ArrivedMessage& arrived, const forward::Plan& plan,
                                base::WallTime now) {
  ports::SignRequest request;
  if (!plan.hold) request.lifetime = arrived.transaction.policy().signature_lifetime;
  request.header_block = arrived.intake.header_block();
  request.relaxed_body_sha256 = arrived.intake.body_hash();
  request.from_domain = author_of(request.header_block);
  request.now_unix = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  return request;
}

std::string results_of(const ArrivedMessage& arrived, const forward::Evidence& evidence) {
  return auth::results::results_value(arrived.transaction.policy().authserv_id,
                                      {.verdicts = evidence.verdicts,
                                       .sender = arrived.envelope.reverse_path,
                                       .client = arrived.client,
                                       .smtputf8 = arrived.envelope.smtputf8});
}

/// The domain by which the reader knows the alias that the message came through.
std::optional<mail::Domain> alias_domain(const ArrivedMessage& arrived) {
  for (const auto& recipient : arrived.transaction.recipients()) {
    if (!recipient.original.is_bare_postmaster()) return recipient.original.mailbox().domain();
  }
  return std::nullopt;
}

/// The header with a new author, and a signature that is aligned with it; "" when it has no author
/// that could be replaced: then those copies go out as they came.
base::Task<std::expected<std::string, ports::SignError>> rewritten_header(
    Services& services, const ArrivedMessage& arrived, const forward::Plan& plan,
    base::WallTime now) {
  const auto via = alias_domain(arrived);
  if (!via) co_return std::string();
  const auto header =
      arrived.transaction.policy().planner->rewritten_header(arrived.intake.header_block(), *via);
  if (!header) co_return std::string();
  ports::SignRequest request = sign_request(arrived, plan, now);
  request.header_block = *header;
  request.from_domain = author_of(*header);
  request.own_message = true;
  const auto signatures = co_await services.signer.sign(std::move(request));
  if (!signatures) co_return std::unexpected(signatures.error());
  co_return signatures->dkim_fields + *header;
}

}  // namespace

base::Task<std::optional<forward::Evidence>> gather_evidence(Services& services,
                                                             const ArrivedMessage& arrived) {
  if (arrived.check == nullptr) co_return std::nullopt;
  auto found = co_await arrived.check->finish(arrived.intake.body_hashes());
  forward::Evidence evidence;
  evidence.verdicts = std::move(found.verdicts);
  evidence.sender = arrived.envelope.reverse_path;
  evidence.egress_spf = found.egress;
  evidence.sealer_saw_pass = found.sealer_saw_pass;
  evidence.signing_domain = services.signer.domain_for(author_of(arrived.intake.header_block()));
  co_return evidence;
}

base::Task<std::expected<Front, ports::SignError>> make_front(
    Services& services, const ArrivedMessage& arrived, const forward::Plan& plan,
    const std::optional<forward::Evidence>& evidence, base::WallTime now) {
  ports::SignRequest request = sign_request(arrived, plan, now);
  std::string above;
  if (evidence) {
    const std::string results = results_of(arrived, *evidence);
    above = auth::results::results_field(results);
    request.unsigned_dkim = plan.signed_by.empty();
    const bool sealed = std::ranges::any_of(
        plan.routes, [](const mail::Route& route) { return route.handling.seal; });
    if (sealed) request.seal = {results, evidence->verdicts.arc.result};
  }
  const Policy& policy = arrived.transaction.policy();
  above += forward::received_field(arrived.client, policy.hostname, arrived.intake.id(),
                                   arrived.envelope.smtputf8, now);
  // A bounce goes to who wrote: nobody forwards to him.
  if (!arrived.transaction.is_bounce()) above += policy.contact_field;
  above += plan.tag_field;
  auto signatures = co_await services.signer.sign(std::move(request));
  if (!signatures) co_return std::unexpected(signatures.error());
  Front front{above + signatures->dkim_fields, std::move(signatures->arc_fields), {}};
  if (plan.new_author) {
    auto header = co_await rewritten_header(services, arrived, plan, now);
    if (!header) co_return std::unexpected(header.error());
    if (!header->empty()) front.rewritten_head = above + *header;
  }
  co_return front;
}

}  // namespace relay::inbound
