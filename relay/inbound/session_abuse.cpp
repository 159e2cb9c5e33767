// The part of a session that asks whether the client is welcome: before the banner, and for each
// recipient.
#include "relay/base/text.hpp"
#include "relay/inbound/session.hpp"

namespace relay::inbound {

namespace {

/// Who has trouble with us must be able to say so (RFC 5321 §4.5.1).
bool is_postmaster(const mail::ForwardPath& path) {
  return path.is_bare_postmaster() ||
         base::equal_ignoring_case(path.mailbox().local_part(), "postmaster");
}

}  // namespace

base::Task<> Session::greet() {
  auto refusal = co_await services_.abuse.objection_to_client(
      client_.address, DnsListStage::Connect, policy_->abuse, session_end_);
  // Nobody speaks before the banner.
  if ((*stream_)->has_unread()) refusal = smtp::Reply(421, {4, 7, 0}, "Wait for the banner");
  if (!refusal) {
    machine_.banner().append_to(replies_);
    co_return;
  }
  log_refusal("connect", *refusal);
  conclude(machine_.shut_down(std::move(*refusal)));
}

base::Task<std::optional<smtp::Reply>> Session::client_objection(
    const mail::ForwardPath& forward_path) {
  if (is_postmaster(forward_path)) co_return std::nullopt;
  const AbusePolicy& policy = transaction_->policy().abuse;
  if (auto wait = services_.abuse.objection_to_guessing(network(), policy)) co_return wait;
  co_return co_await services_.abuse.objection_to_client(client_.address, DnsListStage::Recipient,
                                                         policy, session_end_);
}

base::Task<std::optional<smtp::Reply>> Session::admission_objection(
    const forward::ResolvedRecipient& resolved) {
  const mail::ReversePath& sender = machine_.envelope().reverse_path;
  Admission admission{.client = client_.address,
                      .network = network(),
                      .reverse_path = sender.is_null() ? "" : base::lower(sender.to_string()),
                      .forward_path = base::lower(resolved.original.to_string()),
                      .targets = {},
                      .first = transaction_->recipients().empty(),
                      .is_bounce = resolved.is_bounce,
                      .is_postmaster = is_postmaster(resolved.original)};
  const AbusePolicy& policy = transaction_->policy().abuse;
  if (policy.rates.per_target.count > 0) {  // else nobody looks at them
    for (const mail::Mailbox& target : resolved.targets) {
      admission.targets.push_back(
          mail::without_tag(base::lower(target.to_string()), policy.rates.tag));
    }
  }
  co_return co_await services_.abuse.objection_to_admission(std::move(admission), policy,
                                                            session_end_);
}

base::Task<std::optional<smtp::Reply>> Session::consent_objection(
    const forward::ResolvedRecipient& resolved) {
  const Policy& policy = transaction_->policy();
  auto awaited = policy.planner->awaited(resolved);
  if (awaited.empty()) co_return std::nullopt;
  const auto waiting = co_await services_.consent.awaiting(std::move(awaited));
  if (!waiting) co_return reply_for(waiting.error());
  if (*waiting < policy.max_awaiting) co_return std::nullopt;
  co_return reply_for(ports::SpoolError::Unconfirmed);
}

}  // namespace relay::inbound
