// The part of the planner that makes copies: under which sender and in which way each leaves.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "relay/forward/planner.hpp"

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

/// Senders and choices for the copies of one message, each made when first needed and then reused.
struct Planner::Ways {
  const Planner& planner;
  const Incoming& message;
  const mail::ReversePath& sender;
  const std::optional<Evidence>& evidence;
  std::optional<mail::ReversePath> srs;

  struct Known {
    DmarcSettings dmarc;
    TargetWishes wishes;
  };

  std::vector<Known> known;                      ///< parallel to Plan::choices
  std::map<std::string, std::uint16_t> reached;  ///< folded target: group of its copy
  std::uint64_t size = 0;                        ///< of the message; 0: not known
  std::uint16_t groups = 0;  ///< of copies that fallback copies can replace, so far

  const mail::ReversePath& rewritten(Plan& plan) {
    if (!srs) {
      auto made = planner.senders_.rewrite(sender.mailbox(), planner.occasion(message, evidence));
      if (made.token) plan.tokens.push_back(std::move(*made.token));
      srs = std::move(made.reverse_path);
    }
    return *srs;
  }

  /// Makes one choice for each distinct set of wishes, however many targets there are; returns its
  /// index in Plan::choices.
  std::size_t choice(const ResolvedRecipient& recipient, const std::string& domain, Plan& plan) {
    if (recipient.is_bounce) {  // a bounce recipient is the only one of its message
      if (plan.choices.empty()) plan.choices.push_back(planner.strategy_.choose_bounce(*evidence));
      return 0;
    }
    const Known wanted{.dmarc = recipient.dmarc, .wishes = planner.strategy_.wishes_of(domain)};
    const auto found = std::ranges::find_if(known, [&](const Known& one) {
      return one.dmarc == wanted.dmarc && one.wishes == wanted.wishes;
    });
    if (found == known.end()) {
      known.push_back(wanted);
      plan.choices.push_back(
          planner.strategy_.choose(*evidence, recipient.dmarc, domain, message.late));
      return plan.choices.size() - 1;
    }
    return static_cast<std::size_t>(found - known.begin());
  }

  /// The sender without evidence: neither the author nor the sender's SPF has been checked.
  std::expected<mail::ReversePath, Rejection> unverified(const ResolvedRecipient& recipient,
                                                         Plan& plan) {
    const Identities& identities = planner.strategy_.identities();
    const auto is_safe = [&](const std::string& name) {
      return !could_speak_for(identities, name, message.authors);
    };
    if (recipient.is_bounce || sender.is_null()) {
      if (!is_safe(identities.helo())) return no_name();
      return mail::ReversePath::null();
    }
    const std::string& srs_domain =
        message.unwelcome.empty() ? identities.srs_domain() : identities.doubtful_srs_domain();
    if (planner.senders_.rewriter() && is_safe(srs_domain)) return rewritten(plan);
    // SPF of our own domains authorises us.
    const std::string& domain = sender.mailbox().domain().folded();
    if (identities.is_ours(domain) && !is_safe(domain)) return no_name();
    return sender;
  }

  static std::unexpected<Rejection> no_name() {
    return std::unexpected(
        Rejection{550, {5, 7, 1}, "The author in From is of this host, which verifies nobody"});
  }

  /// The choice for a copy that has ended already; its refusal still refuses the message.
  std::optional<Rejection> apply_ended(const ResolvedRecipient& recipient, mail::Route& route,
                                       Plan& plan) {
    const std::size_t number = choice(recipient, route.target.domain().folded(), plan);
    plan.chosen.push_back(number);
    if (recipient.is_bounce) return std::nullopt;  // a bounce that is discarded needs no permission
    return plan.choices[number].refusal;
  }

  /// Applies the strategy's choice to this copy; returns the refusal of the message, if any.
  std::optional<Rejection> apply(const ResolvedRecipient& recipient, mail::Route& route,
                                 Plan& plan) {
    const std::size_t number = choice(recipient, route.target.domain().folded(), plan);
    const Choice& chosen = plan.choices[number];
    plan.chosen.push_back(number);
    if (chosen.refusal) return chosen.refusal;
    if (recipient.is_bounce) {
      route.reverse_path = mail::ReversePath::null();
    } else {
      route.reverse_path = keeps_sender(chosen.option) ? sender : rewritten(plan);
    }
    route.handling = {.seal = is_sealed(chosen.option),
                      .risk_pool = chosen.risk_pool,
                      .new_author = chosen.option == Option::NewAuthor,
                      .reason = chosen.reason};
    plan.hold = plan.hold || chosen.hold;
    plan.new_author = plan.new_author || route.handling.new_author;
    if (chosen.tag) plan.tag_field = planner.tag_field_;
    return std::nullopt;
  }

  std::optional<Rejection> find_way(const ResolvedRecipient& recipient, mail::Route& route,
                                    Plan& plan) {
    if (evidence) {
      if (auto refusal = apply(recipient, route, plan)) return refusal;
    } else {
      auto sent_under = unverified(recipient, plan);
      const bool may_hold = message.late != LateRefusal::Refuse && !recipient.is_bounce;
      if (!sent_under && !may_hold) return std::move(sent_under.error());
      plan.hold = plan.hold || !sent_under;
      route.reverse_path = sent_under ? *sent_under : sender;
    }
    if (!message.unwelcome.empty()) doubt(recipient, route, plan);
    return std::nullopt;
  }

  /// The client would have been refused: risk pool, and a hold if LateRefusal says so. What comes
  /// back by an SRS address is never held: its tag authorises it, whoever brings it.
  void doubt(const ResolvedRecipient& recipient, mail::Route& route, Plan& plan) const {
    if (message.late == LateRefusal::Hold && !recipient.is_bounce) plan.hold = true;
    route.handling.risk_pool = true;
    std::string& reason = route.handling.reason;
    reason += (reason.empty() ? "" : "; ") + message.unwelcome;
  }

  /// Adds a copy for each target that has none; returns the refusal of the message, if any.
  std::optional<Rejection> add_copies(const ResolvedRecipient& recipient, Plan& plan) {
    std::vector<std::uint16_t> numbers(recipient.fallbacks.size());  // of their groups
    for (std::size_t i = 0; i < recipient.targets.size(); ++i) {
      const mail::Mailbox& target = recipient.targets[i];
      const TargetTerms terms = recipient.terms_of(i);
      // A copy that is too large here may be made for another alias of the same target.
      if (has_copy(target, terms.fallback > 0)) continue;
      std::uint16_t group = 0;
      if (terms.fallback > 0 && terms.takes(size)) {
        std::uint16_t& number = numbers[terms.fallback - 1U];
        if (number == 0) number = ++groups;
        group = number;
      }
      auto refusal = terms.takes(size) ? add_copy(target, group, recipient, plan)
                                       : add_ended(target, mail::End::Refused, recipient, plan);
      if (refusal) return refusal;
    }
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (numbers[i] > 0) add_fallback(recipient.fallbacks[i], numbers[i], recipient, plan);
    }
    for (const mail::Mailbox& alias : recipient.discards) {
      if (!reached.try_emplace(alias.folded(), 0).second) continue;
      auto refusal = add_ended(alias, mail::End::Discarded, recipient, plan);
      if (refusal) return refusal;
    }
    return std::nullopt;
  }

  /// True if this recipient needs no copy of its own. A copy with a fallback does not count for a
  /// recipient without one: when it fails, this recipient is owed a DSN.
  bool has_copy(const mail::Mailbox& target, bool may_be_replaced) const {
    const auto found = reached.find(target.folded());
    return found != reached.end() && (found->second == 0 || may_be_replaced);
  }

  std::optional<Rejection> add_copy(const mail::Mailbox& target, std::uint16_t group,
                                    const ResolvedRecipient& recipient, Plan& plan) {
    if (plan.routes.size() >= kMaxTargets) return too_many();
    mail::Route route = route_to(target, recipient, plan);
    if (auto refusal = find_way(recipient, route, plan)) return refusal;
    if (!recipient.is_bounce) route.awaits = planner.awaited(target);
    route.mark = planner.mark_for(recipient);
    route.group = group;
    reached.insert_or_assign(target.folded(), group);
    plan.routes.push_back(std::move(route));
    return std::nullopt;
  }

  /// Adds copies that stand by for the group; if none can be made, dissolves the group.
  void add_fallback(const Fallback& fallback, std::uint16_t group,
                    const ResolvedRecipient& recipient, Plan& plan) {
    std::set<std::string> others;
    for (const mail::Route& route : plan.routes) {
      if (route.group == group) others.insert(route.target.folded());
    }
    bool stands_by = false;
    for (std::size_t i = 0; i < fallback.targets.size() && !others.empty(); ++i) {
      const mail::Mailbox& target = fallback.targets[i];
      if (others.contains(target.folded()) || !fallback.terms[i].takes(size)) continue;
      stands_by = add_standby(target, group, recipient, plan) || stands_by;
    }
    if (stands_by) return;
    for (mail::Route& route : plan.routes) {
      if (route.group != group) continue;
      route.group = 0;
      reached.insert_or_assign(route.target.folded(), 0);
    }
  }

  bool add_standby(const mail::Mailbox& target, std::uint16_t group,
                   const ResolvedRecipient& recipient, Plan& plan) {
    if (plan.routes.size() >= kMaxTargets) return false;
    mail::Route route = route_to(target, recipient, plan);
    if (find_way(recipient, route, plan)) {
      if (evidence) plan.chosen.pop_back();  // the others leave without it
      return false;
    }
    route.mark = planner.mark_for(recipient);
    route.group = group;
    route.stands_by = true;
    plan.routes.push_back(std::move(route));
    return true;
  }

  /// Adds a copy that has ended already and does not leave; it keeps the original sender.
  std::optional<Rejection> add_ended(const mail::Mailbox& target, mail::End ended,
                                     const ResolvedRecipient& recipient, Plan& plan) {
    if (plan.routes.size() >= kMaxTargets) return too_many();
    mail::Route route = route_to(target, recipient, plan);
    route.ended = ended;
    route.reverse_path = sender;
    if (evidence) {
      if (auto refusal = apply_ended(recipient, route, plan)) return refusal;
    }
    plan.routes.push_back(std::move(route));
    return std::nullopt;
  }

  static Rejection too_many() { return {452, {4, 5, 3}, "Too many targets in one message"}; }

  static mail::Route route_to(const mail::Mailbox& target, const ResolvedRecipient& recipient,
                              const Plan& plan) {
    return {.index = static_cast<std::uint16_t>(plan.routes.size()),
            .original = recipient.original,
            .target = target,
            .reverse_path = {}};
  }
};

mail::AliasMark Planner::mark_for(const ResolvedRecipient& recipient) const {
  const mail::ForwardPath& alias = recipient.original;
  const bool is_named = !recipient.is_bounce && !alias.is_bare_postmaster();
  return is_named && !alias.mailbox().is_utf8() ? mark_ : mail::AliasMark::None;
}

SenderRewrite::Occasion Planner::occasion(const Incoming& message,
                                          const std::optional<Evidence>& evidence) const {
  const Identities& identities = strategy_.identities();
  return {.message = message.id,
          .client = message.client_address,
          .is_proven = evidence && is_sender_proven(identities, *evidence),
          .is_doubtful = evidence ? is_doubtful(identities, *evidence) : !message.unwelcome.empty(),
          .now = message.now};
}

void Planner::give_up_sender(Plan& plan, const Incoming& message,
                             const std::optional<Evidence>& evidence) const {
  const mail::ReversePath instead = senders_.unanswerable(occasion(message, evidence));
  for (mail::Route& route : plan.routes) {
    // A message has one SRS sender at most.
    const bool is_stored = !route.reverse_path.is_null() &&
                           senders_.is_srs_domain(route.reverse_path.mailbox().domain()) &&
                           route.reverse_path != message.sender;
    if (is_stored) route.reverse_path = instead;
  }
  plan.tokens.clear();
}

std::expected<Plan, PlanRefusal> Planner::plan(const Incoming& message,
                                               const std::vector<ResolvedRecipient>& recipients,
                                               const std::optional<Evidence>& evidence) const {
  Plan plan;
  Ways ways{.planner = *this,
            .message = message,
            .sender = message.sender,
            .evidence = evidence,
            .srs = {},
            .known = {},
            .reached = {},
            .size = message.size,
            .groups = 0};
  const bool is_bounce = !recipients.empty() && recipients.front().is_bounce;
  if (evidence && !is_bounce)
    plan.signed_by = signature_for(strategy_.identities(), *evidence, Option::Srs);
  for (const ResolvedRecipient& recipient : recipients) {
    if (auto refusal = ways.add_copies(recipient, plan)) {
      return std::unexpected(PlanRefusal{std::move(*refusal), std::move(plan.choices)});
    }
  }
  settle_holding(plan);
  return plan;
}

}  // namespace relay::forward
