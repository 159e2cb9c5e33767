#include "relay/forward/planner.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "relay/base/text.hpp"
#include "relay/forward/author_rewrite.hpp"
#include "relay/mail/header.hpp"

namespace relay::forward {

namespace {

constexpr std::size_t kMaxDepth = 10;
constexpr std::size_t kMaxLeaves = 1000;

std::string folded(const mail::Mailbox& mailbox) {
  return base::lower(mailbox.local_part()) + '@' + mailbox.domain().folded();
}

/// SRS0, SRS1 or a token of ours, by its first letters: an SRS domain may host aliases as well.
bool has_srs_form(const mail::Mailbox& mailbox) {
  const std::string_view local = mailbox.local_part();
  return local.size() > 4 && base::starts_with_ignoring_case(local, "srs") &&
         (local[3] == '0' || local[3] == '1' || base::lower(local[3]) == 't') &&
         (local[4] == '=' || local[4] == '+' || local[4] == '-');
}

/// Who is held for the operator is held for nobody else: a target that confirms does not say what
/// he is to decide.
void settle_holding(Plan& plan) {
  for (mail::Route& route : plan.routes) {
    if (!route.awaits.empty()) {
      std::string& reason = route.handling.reason;
      reason += (reason.empty() ? "" : "; ") + std::string("held: the target has not confirmed");
    }
    route.held = plan.hold || !route.awaits.empty();
    if (plan.hold) route.awaits.clear();
  }
}

Rejection relaying_denied() { return {550, {5, 7, 1}, "Relaying denied"}; }

}  // namespace

/// What has been reached from one recipient, following aliases inside our own domains.
struct Planner::Expansion {
  std::vector<mail::Mailbox> leaves;
  std::set<std::string> visited;
  std::string rule;
  std::optional<DmarcSettings> dmarc;
  std::size_t depth = 0;
};

std::expected<std::shared_ptr<const Planner>, std::string> Planner::make(
    const std::shared_ptr<const settings::Settings>& settings, OrganisationOf organisation_of) {
  auto aliases = AliasMap::make(settings);
  if (!aliases) return std::unexpected(aliases.error());
  auto senders = SenderRewrite::make(*settings);
  if (!senders) return std::unexpected(senders.error());
  auto strategy = Strategy::make(*settings, std::move(organisation_of));
  if (!strategy) return std::unexpected(strategy.error());
  return std::shared_ptr<const Planner>(
      new Planner(std::move(*aliases), std::move(*senders), std::move(*strategy), *settings));
}

Planner::Planner(AliasMap aliases, SenderRewrite senders, Strategy strategy,
                 const settings::Settings& settings)
    : aliases_(std::move(aliases)),
      senders_(std::move(senders)),
      strategy_(std::move(strategy)),
      confirmed_(settings.consent.confirmed),
      default_dmarc_(settings.defaults.dmarc),
      tag_field_(settings.risk.tag + "\r\n"),
      hostname_(settings.hostname),
      postmaster_(settings.defaults.postmaster) {
  if (!settings.domains.empty()) first_domain_ = settings.domains.front().name;
}

bool Planner::is_ours(const mail::Domain& domain) const {
  return aliases_.is_ours(domain) || senders_.is_srs_domain(domain) || domain.folded() == hostname_;
}

bool Planner::is_bounce_address(const mail::ForwardPath& path) const {
  if (path.is_bare_postmaster()) return false;
  const mail::Mailbox& mailbox = path.mailbox();
  return senders_.is_srs_domain(mailbox.domain()) &&
         (has_srs_form(mailbox) || !aliases_.is_ours(mailbox.domain()));
}

std::optional<Rejection> Planner::expand(const mail::Mailbox& mailbox, Expansion& into) const {
  if (!aliases_.is_ours(mailbox.domain())) {
    const bool known = std::ranges::any_of(
        into.leaves, [&](const mail::Mailbox& leaf) { return folded(leaf) == folded(mailbox); });
    if (!known) into.leaves.push_back(mailbox);
    if (into.leaves.size() > kMaxLeaves) return Rejection{550, {5, 4, 6}, "Too many targets"};
    return std::nullopt;
  }
  if (into.depth >= kMaxDepth) return Rejection{550, {5, 4, 6}, "Alias chain too long"};
  if (!into.visited.insert(folded(mailbox)).second) {
    // A target reached twice is a diamond, not a loop; a loop reaches no leaf at all.
    return std::nullopt;
  }
  auto hit = aliases_.find(mailbox);
  if (!hit) return hit.error();
  into.rule += (into.rule.empty() ? "" : " > ") + hit->rule;
  if (!into.dmarc) into.dmarc = hit->dmarc;
  ++into.depth;
  for (const mail::Mailbox& target : hit->targets) {
    if (auto trouble = expand(target, into)) return trouble;
  }
  --into.depth;
  return std::nullopt;
}

Resolution Planner::resolve(const mail::ForwardPath& path, const mail::ReversePath& sender,
                            base::WallTime now) const {
  std::optional<mail::Mailbox> mailbox;
  if (path.is_bare_postmaster()) {
    if (postmaster_)
      return ResolvedRecipient{path, {*postmaster_}, false, false, "postmaster", default_dmarc_};
    if (!first_domain_) return relaying_denied();
    mailbox = *mail::Mailbox::make("postmaster", *first_domain_);
  } else {
    mailbox = path.mailbox();
  }
  if (postmaster_ && senders_.is_srs_domain(mailbox->domain()) &&
      !aliases_.is_ours(mailbox->domain()) &&
      base::equal_ignoring_case(mailbox->local_part(), "postmaster")) {
    return ResolvedRecipient{path, {*postmaster_}, false, false, "postmaster", default_dmarc_};
  }
  if (is_bounce_address(path)) {
    auto reversed = senders_.reverse(*mailbox, now);
    if (!reversed) return reversed.error();
    if (!sender.is_null()) {
      return Rejection{550, {5, 7, 1}, "This address takes bounces only"};
    }
    if (const auto* lookup = std::get_if<TokenLookup>(&*reversed)) return *lookup;
    const auto& origin = std::get<Origin>(*reversed);
    Resolution resolution = resolve_token(path, mail::ReversePath(origin.sender));
    if (auto* taken = std::get_if<ResolvedRecipient>(&resolution)) taken->weak = origin.weak;
    return resolution;
  }
  if (!aliases_.is_ours(mailbox->domain())) return relaying_denied();
  Expansion expansion;
  if (auto trouble = expand(*mailbox, expansion)) return *trouble;
  if (expansion.leaves.empty()) return Rejection{550, {5, 4, 6}, "Alias leads nowhere (loop)"};
  return ResolvedRecipient{path,  std::move(expansion.leaves), false,
                           false, std::move(expansion.rule),   *expansion.dmarc};
}

Resolution Planner::resolve_token(const mail::ForwardPath& original,
                                  const mail::ReversePath& recovered) const {
  if (recovered.is_null()) return SenderRewrite::bad_srs_address();
  const mail::Mailbox& sender = recovered.mailbox();
  // Never into a place that is no mail domain, nor round in a circle.
  if (!sender.domain().is_dotted() || senders_.is_srs_domain(sender.domain())) {
    return SenderRewrite::bad_srs_address();
  }
  if (!aliases_.is_ours(sender.domain())) {
    return ResolvedRecipient{original, {sender}, true, false, "srs", default_dmarc_};
  }
  Expansion expansion;
  if (auto trouble = expand(sender, expansion)) return *trouble;
  if (expansion.leaves.empty()) return Rejection{550, {5, 4, 6}, "Alias leads nowhere (loop)"};
  return ResolvedRecipient{original, std::move(expansion.leaves), true,
                           false,    "srs > " + expansion.rule,   *expansion.dmarc};
}

/// The senders and choices of one message, each made when it is first needed.
struct Planner::Ways {
  const Planner& planner;
  const mail::ReversePath& sender;
  const std::string& client;
  base::WallTime now;
  const std::optional<Evidence>& evidence;
  std::optional<mail::ReversePath> srs;

  struct Known {
    DmarcSettings dmarc;
    TargetWishes wishes;
  };

  std::vector<Known> known;  ///< beside Plan::choices

  const mail::ReversePath& rewritten(Plan& plan) {
    if (!srs) {
      auto made = planner.senders_.rewrite(sender.mailbox(), client, now);
      if (made.token) plan.tokens.push_back(std::move(*made.token));
      srs = std::move(made.reverse_path);
    }
    return *srs;
  }

  /// As many choices as there are different wishes, however many targets.
  const Choice& choice(const ResolvedRecipient& recipient, const std::string& domain, Plan& plan) {
    const Known wanted{.dmarc = recipient.dmarc, .wishes = planner.strategy_.wishes_of(domain)};
    const auto found = std::ranges::find_if(known, [&](const Known& one) {
      return one.dmarc == wanted.dmarc && one.wishes == wanted.wishes;
    });
    if (found == known.end()) {
      known.push_back(wanted);
      plan.choices.push_back(planner.strategy_.choose(*evidence, recipient.dmarc, domain));
      return plan.choices.back();
    }
    return plan.choices[static_cast<std::size_t>(found - known.begin())];
  }

  mail::ReversePath unverified(Plan& plan) {
    const bool keeps = sender.is_null() || planner.is_ours(sender.mailbox().domain());
    return keeps ? sender : rewritten(plan);
  }

  /// What the strategy says about this copy; the refusal of the message where it says so.
  std::optional<Rejection> apply(const ResolvedRecipient& recipient, mail::Route& route,
                                 Plan& plan) {
    const Choice& chosen = choice(recipient, route.target.domain().folded(), plan);
    if (chosen.refusal) return chosen.refusal;
    route.reverse_path = keeps_sender(chosen.option) ? sender : rewritten(plan);
    route.handling = {.seal = is_sealed(chosen.option),
                      .risk_pool = chosen.risk_pool,
                      .new_author = chosen.option == Option::NewAuthor,
                      .reason = chosen.reason};
    plan.hold = plan.hold || chosen.hold;
    plan.new_author = plan.new_author || route.handling.new_author;
    if (chosen.tag) plan.tag_field = planner.tag_field_;
    return std::nullopt;
  }
};

std::vector<std::string> Planner::awaited(const ResolvedRecipient& recipient) const {
  std::vector<std::string> addresses;
  if (recipient.is_bounce || !confirmed_) return addresses;
  for (const mail::Mailbox& target : recipient.targets) {
    std::string address = awaited(target);
    if (!address.empty()) addresses.push_back(std::move(address));
  }
  return addresses;
}

std::expected<Plan, Rejection> Planner::plan(const mail::ReversePath& sender,
                                             const std::vector<ResolvedRecipient>& recipients,
                                             const std::string& client_address, base::WallTime now,
                                             const std::optional<Evidence>& evidence) const {
  Plan plan;
  std::set<std::string> reached;
  Ways ways{.planner = *this,
            .sender = sender,
            .client = client_address,
            .now = now,
            .evidence = evidence,
            .srs = {},
            .known = {}};
  if (evidence) {
    plan.signed_by = signature_for(strategy_.identities(), *evidence, Option::Srs);
  }
  for (const ResolvedRecipient& recipient : recipients) {
    for (const mail::Mailbox& target : recipient.targets) {
      if (!reached.insert(folded(target)).second) continue;
      if (plan.routes.size() >= kMaxLeaves) {
        return std::unexpected(Rejection{452, {4, 5, 3}, "Too many targets in one message"});
      }
      mail::Route route{.index = static_cast<std::uint16_t>(plan.routes.size()),
                        .original = recipient.original,
                        .target = target,
                        .reverse_path = {}};
      if (!evidence) {
        route.reverse_path = ways.unverified(plan);
      } else if (auto refusal = ways.apply(recipient, route, plan)) {
        return std::unexpected(std::move(*refusal));
      }
      if (!recipient.is_bounce) route.awaits = awaited(target);
      plan.routes.push_back(std::move(route));
    }
  }
  settle_holding(plan);
  return plan;
}

std::optional<std::string> Planner::rewritten_header(std::string_view header_block,
                                                     const mail::Domain& via) const {
  const std::string& domain = strategy_.identities().rewrite_domain();
  if (domain.empty() || !senders_.rewriter()) return std::nullopt;
  const auto authors = mail::find_fields(mail::readable_fields(header_block), "From");
  if (authors.size() != 1) return std::nullopt;
  // The same author has the same address each time; without our secret it leads back to nobody.
  const std::string label =
      senders_.rewriter()->digest({"author " + mail::unfolded(authors.front().value), domain});
  return with_new_author(
      header_block, {.label = label, .domain = *mail::Domain::parse(domain), .via = via.folded()});
}

}  // namespace relay::forward
