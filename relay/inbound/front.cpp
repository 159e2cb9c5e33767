#include "relay/inbound/front.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "relay/auth/results/field.hpp"
#include "relay/forward/trace_header.hpp"
#include "relay/mail/author.hpp"

namespace relay::inbound {

namespace {

std::string author_of(const mail::Header& header) {
  const auto author = mail::author_domain(header);
  return author ? author->folded() : std::string();
}

/// Held mail has no time limit, so it may be released after the signature would have expired: with
/// a held copy the signature has no expiry.
ports::SignRequest sign_request(const Policy& policy, const JudgedMessage& message,
                                const forward::Plan& plan, base::WallTime now) {
  ports::SignRequest request;
  if (!plan.hold) request.lifetime = policy.signature_lifetime;
  // A fallback begins only when the time of the other copies is over: allow it as much again.
  const bool has_fallback =
      std::ranges::any_of(plan.routes, [](const mail::Route& route) { return route.stands_by; });
  if (has_fallback && request.lifetime) *request.lifetime *= 2;
  request.header = message.content.header();
  request.relaxed_body_sha256 = message.content.body_hash();
  request.from_domain = author_of(*request.header);
  request.now_unix = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  return request;
}

std::string results_of(const Policy& policy, const JudgedMessage& message,
                       const forward::Evidence& evidence) {
  return auth::results::results_value(policy.authserv_id, {.verdicts = evidence.verdicts,
                                                           .sender = message.envelope.reverse_path,
                                                           .client = message.client,
                                                           .smtputf8 = message.envelope.smtputf8});
}

/// The domain of the first alias the message came through, for the rewritten From.
std::optional<mail::Domain> alias_domain(const JudgedMessage& message) {
  for (const auto& recipient : message.recipients) {
    if (!recipient.original.is_bare_postmaster()) return recipient.original.mailbox().domain();
  }
  return std::nullopt;
}

/// The alias the message came through, if it is the only recipient. nullptr for an SRS address:
/// Received must not show it.
const mail::ForwardPath* only_alias(const JudgedMessage& message) {
  const forward::ResolvedRecipient& first = message.recipients.front();
  const bool is_alone = message.recipients.size() == 1 && !first.is_bounce;
  return is_alone ? &first.original : nullptr;
}

/// The header with a new author, and in front of it a signature aligned with that author; "" if no
/// author can be replaced: those copies leave as they came.
base::Task<std::expected<std::string, ports::SignError>> rewritten_header(
    ports::Signer& signer, const Policy& policy, const JudgedMessage& message,
    const forward::Plan& plan, base::WallTime now) {
  const auto via = alias_domain(message);
  if (!via) co_return std::string();
  auto text = policy.planner->rewritten_header(*message.content.header(), *via);
  if (!text) co_return std::string();
  ports::SignRequest request = sign_request(policy, message, plan, now);
  request.header = std::make_shared<const mail::Header>(*text);
  request.from_domain = author_of(*request.header);
  request.own_message = true;
  const auto signatures = co_await signer.sign(std::move(request));
  if (!signatures) co_return std::unexpected(signatures.error());
  co_return signatures->dkim_fields + *text;
}

}  // namespace

base::Task<std::expected<Front, ports::SignError>> make_front(
    ports::Signer& signer, const Policy& policy, const JudgedMessage& message,
    const forward::Plan& plan, const std::optional<forward::Evidence>& evidence,
    base::WallTime now) {
  ports::SignRequest request = sign_request(policy, message, plan, now);
  std::string above;
  const bool is_bounce = message.recipients.front().is_bounce;
  request.unsigned_dkim = is_bounce;  // another system's bounce: not signed in our name
  if (evidence) {
    const std::string results = results_of(policy, message, *evidence);
    above = auth::results::results_field(results);
    request.unsigned_dkim = is_bounce || plan.signed_by.empty();
    const bool sealed = std::ranges::any_of(
        plan.routes, [](const mail::Route& route) { return route.handling.seal; });
    if (sealed) request.seal = {results, evidence->verdicts.arc.result};
  }
  const mail::Client& connected =
      message.handed_over_by != nullptr ? *message.handed_over_by : message.client;
  above += forward::received_field(connected, policy.hostname, message.id,
                                   message.envelope.smtputf8, only_alias(message), now);
  // The sender whom a bounce returns to did not get it through an alias: no contact for complaints.
  if (!is_bounce) above += policy.contact_field;
  above += plan.tag_field;
  auto signatures = co_await signer.sign(std::move(request));
  if (!signatures) co_return std::unexpected(signatures.error());
  Front front{.trace_fields = above + signatures->dkim_fields,
              .seal_fields = std::move(signatures->arc_fields),
              .rewritten_head = {}};
  front.trace_fields += message.content.joint();
  if (plan.new_author) {
    auto header = co_await rewritten_header(signer, policy, message, plan, now);
    if (!header) co_return std::unexpected(header.error());
    if (!header->empty()) front.rewritten_head = above + *header;
  }
  co_return front;
}

}  // namespace relay::inbound
