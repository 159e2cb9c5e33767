#include "relay/forward/planner.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "relay/base/text.hpp"

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

Rejection relaying_denied() { return {550, {5, 7, 1}, "Relaying denied"}; }

}  // namespace

/// What has been reached from one recipient, following aliases inside our own domains.
struct Planner::Expansion {
  std::vector<mail::Mailbox> leaves;
  std::set<std::string> visited;
  std::string rule;
  std::size_t depth = 0;
};

std::expected<std::shared_ptr<const Planner>, std::string> Planner::make(
    const settings::Settings& settings) {
  auto aliases = AliasMap::make(settings);
  if (!aliases) return std::unexpected(aliases.error());
  auto senders = SenderRewrite::make(settings);
  if (!senders) return std::unexpected(senders.error());
  return std::shared_ptr<const Planner>(
      new Planner(std::move(*aliases), std::move(*senders), settings));
}

Planner::Planner(AliasMap aliases, SenderRewrite senders, const settings::Settings& settings)
    : aliases_(std::move(aliases)),
      senders_(std::move(senders)),
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
    if (postmaster_) return ResolvedRecipient{path, {*postmaster_}, false, false, "postmaster"};
    if (!first_domain_) return relaying_denied();
    mailbox = *mail::Mailbox::make("postmaster", *first_domain_);
  } else {
    mailbox = path.mailbox();
  }
  if (postmaster_ && senders_.is_srs_domain(mailbox->domain()) &&
      !aliases_.is_ours(mailbox->domain()) &&
      base::equal_ignoring_case(mailbox->local_part(), "postmaster")) {
    return ResolvedRecipient{path, {*postmaster_}, false, false, "postmaster"};
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
  return ResolvedRecipient{path, std::move(expansion.leaves), false, false,
                           std::move(expansion.rule)};
}

Resolution Planner::resolve_token(const mail::ForwardPath& original,
                                  const mail::ReversePath& recovered) const {
  if (recovered.is_null()) return SenderRewrite::bad_srs_address();
  const mail::Mailbox& sender = recovered.mailbox();
  // Never into a place that is no mail domain, nor round in a circle (srs.md no. 20).
  if (!sender.domain().is_dotted() || senders_.is_srs_domain(sender.domain())) {
    return SenderRewrite::bad_srs_address();
  }
  if (!aliases_.is_ours(sender.domain())) {
    return ResolvedRecipient{original, {sender}, true, false, "srs"};
  }
  Expansion expansion;
  if (auto trouble = expand(sender, expansion)) return *trouble;
  if (expansion.leaves.empty()) return Rejection{550, {5, 4, 6}, "Alias leads nowhere (loop)"};
  return ResolvedRecipient{original, std::move(expansion.leaves), true, false,
                           "srs > " + expansion.rule};
}

std::expected<Plan, Rejection> Planner::plan(const mail::ReversePath& sender,
                                             const std::vector<ResolvedRecipient>& recipients,
                                             const std::string& client_address,
                                             base::WallTime now) const {
  Plan plan;
  std::set<std::string> reached;
  mail::ReversePath outgoing = sender;
  if (!sender.is_null() && !is_ours(sender.mailbox().domain())) {
    auto rewritten = senders_.rewrite(sender.mailbox(), client_address, now);
    outgoing = std::move(rewritten.reverse_path);
    if (rewritten.token) plan.tokens.push_back(std::move(*rewritten.token));
  }
  for (const ResolvedRecipient& recipient : recipients) {
    for (const mail::Mailbox& target : recipient.targets) {
      if (!reached.insert(folded(target)).second) continue;
      if (plan.routes.size() >= kMaxLeaves) {
        return std::unexpected(Rejection{452, {4, 5, 3}, "Too many targets in one message"});
      }
      plan.routes.push_back({.index = static_cast<std::uint16_t>(plan.routes.size()),
                             .original = recipient.original,
                             .target = target,
                             .reverse_path = outgoing});
    }
  }
  return plan;
}

}  // namespace relay::forward
