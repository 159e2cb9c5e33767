#include "relay/forward/planner.hpp"

#include <utility>

#include "relay/forward/author_rewrite.hpp"
#include "relay/forward/copies.hpp"
#include "relay/forward/copy_senders.hpp"
#include "relay/forward/policy.hpp"

namespace relay::forward {

namespace {

/// Marks held copies. An operator hold overrides a consent hold: the target's confirmation must not
/// release it, so the route then awaits nobody.
void settle_holding(Plan& plan) {
  for (mail::Route& route : plan.routes) {
    if (route.ended != mail::End::None || route.stands_by) continue;
    if (!route.awaits.empty()) {
      std::string& reason = route.handling.reason;
      reason += (reason.empty() ? "" : "; ") + std::string("held: the target has not confirmed");
    }
    route.held = plan.hold || !route.awaits.empty();
    if (plan.hold) route.awaits.clear();
  }
}

}  // namespace

std::expected<std::shared_ptr<const Planner>, std::string> Planner::make(
    const std::shared_ptr<const Policy>& policy, OrganisationOf organisation_of) {
  auto directory = Directory::make(policy);
  if (!directory) return std::unexpected(directory.error());
  auto strategy = Strategy::make(*policy, std::move(organisation_of));
  if (!strategy) return std::unexpected(strategy.error());
  return std::shared_ptr<const Planner>(
      new Planner(std::move(*directory), std::move(*strategy), *policy));
}

Planner::Planner(Directory directory, Strategy strategy, const Policy& policy)
    : directory_(std::move(directory)),
      strategy_(std::move(strategy)),
      tag_field_(policy.risk.tag + "\r\n"),
      mark_(policy.defaults.mark_alias) {}

std::expected<Plan, PlanRefusal> Planner::plan(const Incoming& message,
                                               const std::vector<ResolvedRecipient>& recipients,
                                               const std::optional<Evidence>& evidence) const {
  CopySenders senders(directory_.senders(), strategy_, message, evidence);
  Copies copies(directory_, senders, mark_, message.size);
  for (const ResolvedRecipient& recipient : recipients) {
    if (auto refusal = copies.add(recipient)) {
      return std::unexpected(PlanRefusal{std::move(*refusal), senders.take_choices()});
    }
  }
  Plan plan{.routes = copies.take_routes(),
            .tokens = senders.take_tokens(),
            .hold = senders.hold(),
            .tag_field = senders.is_tagged() ? tag_field_ : std::string(),
            .signed_by = {},
            .new_author = senders.new_author(),
            .choices = senders.take_choices(),
            .chosen = copies.take_chosen()};
  const bool is_bounce = !recipients.empty() && recipients.front().is_bounce;
  if (evidence && !is_bounce) {
    plan.signed_by = signature_for(strategy_.identities(), *evidence, Option::Srs);
  }
  settle_holding(plan);
  return plan;
}

void Planner::give_up_sender(Plan& plan, const Incoming& message,
                             const std::optional<Evidence>& evidence) const {
  const SenderRewrite& senders = directory_.senders();
  const mail::ReversePath instead =
      senders.unanswerable(occasion_of(message, strategy_.identities(), evidence));
  for (mail::Route& route : plan.routes) {
    // A message has one SRS sender at most.
    const bool is_stored = !route.reverse_path.is_null() &&
                           senders.is_srs_domain(route.reverse_path.mailbox().domain()) &&
                           route.reverse_path != message.sender;
    if (is_stored) route.reverse_path = instead;
  }
  plan.tokens.clear();
}

std::optional<std::string> Planner::rewritten_header(const mail::Header& header,
                                                     const mail::Domain& via) const {
  const std::string& domain = strategy_.identities().rewrite_domain();
  if (domain.empty() || !directory_.senders().rewriter()) return std::nullopt;
  const auto authors = header.find("From");
  if (authors.size() != 1) return std::nullopt;
  // The label is the same for each message of an author. It is a keyed digest: without our secret
  // nobody can tell the author from it.
  const std::string label = directory_.senders().rewriter()->digest(
      {"author " + mail::unfolded(authors.front().value), domain});
  return with_new_author(
      header, {.label = label, .domain = *mail::Domain::parse(domain), .via = via.folded()});
}

}  // namespace relay::forward
