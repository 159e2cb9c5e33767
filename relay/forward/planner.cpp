#include "relay/forward/planner.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "relay/base/text.hpp"
#include "relay/forward/author_rewrite.hpp"
#include "relay/forward/roles.hpp"

namespace relay::forward {

namespace {

constexpr std::size_t kMaxDepth = 10;

/// True for a local part that begins like an SRS0, SRS1, token or message address of ours. Only
/// such addresses are bounce addresses when the SRS domain has aliases, too.
bool has_srs_form(const mail::Mailbox& mailbox) {
  const std::string_view local = mailbox.local_part();
  return local.size() > 4 && base::starts_with_ignoring_case(local, "srs") &&
         std::string_view("01tTmM").contains(local[3]) &&
         (local[4] == '=' || local[4] == '+' || local[4] == '-');
}

/// The smaller of two limits, where 0 means unlimited.
std::uint64_t tighter(std::uint64_t a, std::uint64_t b) {
  if (a == 0 || b == 0) return std::max(a, b);
  return std::min(a, b);
}

Rejection relaying_denied() { return {550, {5, 7, 1}, "Relaying denied"}; }

}  // namespace

/// What has been reached from one recipient, following aliases inside our own domains.
struct Planner::Expansion {
  explicit Expansion(base::WallTime at) : now(at) {}

  const base::WallTime now;
  std::vector<mail::Mailbox> leaves;
  std::vector<TargetTerms> terms;  ///< parallel to `leaves`
  TargetTerms here;  ///< combined terms of the aliases from the recipient down to here
  std::vector<mail::Mailbox> discards;
  std::vector<mail::Mailbox> fallbacks;                  ///< TargetTerms::fallback is the index + 1
  std::vector<Fallback> expanded;                        ///< parallel to `fallbacks`
  std::unordered_map<std::string, std::size_t> reached;  ///< folded leaf -> its index in `leaves`
  std::set<std::string> visited;
  std::string rule;
  std::optional<DmarcSettings> dmarc;
  std::size_t depth = 0;
  std::optional<Rejection> first_dead;  ///< why the first dead branch is dead

  /// A leaf that is reached along several paths gets the most generous size limit of them.
  void reach(const mail::Mailbox& leaf) {
    const auto [at, is_new] = reached.try_emplace(leaf.folded(), leaves.size());
    if (is_new) {
      leaves.push_back(leaf);
      terms.push_back(here);
      return;
    }
    std::uint64_t& known = terms[at->second].max_size;
    known = known == 0 || here.max_size == 0 ? 0 : std::max(known, here.max_size);
  }

  ResolvedRecipient taken(const mail::ForwardPath& original, std::string found_by,
                          const DmarcSettings& default_dmarc) && {
    return {.original = original,
            .targets = std::move(leaves),
            .rule = std::move(found_by),
            .dmarc = dmarc.value_or(default_dmarc),
            .discards = std::move(discards),
            .terms = std::move(terms),
            .fallbacks = std::move(expanded)};
  }
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
      mark_(settings.defaults.mark_alias),
      hostname_(settings.hostname),
      postmaster_(settings.defaults.postmaster) {
  const auto first =
      std::ranges::find(settings.domains, false, &settings::HostedDomain::is_wildcard);
  if (first != settings.domains.end()) first_domain_ = first->name;
}

bool Planner::is_ours(const mail::Domain& domain) const {
  return aliases_.is_ours(domain) || senders_.is_srs_domain(domain) || domain.folded() == hostname_;
}

bool Planner::is_bounce_address(const mail::ForwardPath& path) const {
  return !path.is_bare_postmaster() && is_srs_address(path.mailbox());
}

bool Planner::is_srs_address(const mail::Mailbox& mailbox) const {
  return senders_.is_srs_domain(mailbox.domain()) &&
         (has_srs_form(mailbox) || !aliases_.is_ours(mailbox.domain()));
}

/// Below the recipient itself, a branch that leads nowhere does not refuse the mail for the other
/// branches; it is named in the rule, for the operator.
std::optional<Rejection> Planner::note_dead(const mail::Mailbox& mailbox, Rejection why,
                                            Expansion& into) {
  if (into.depth == 0) return why;
  into.rule += fmt::format(", without {}: {}", mailbox.to_string(), why.text);
  if (!into.first_dead) into.first_dead = std::move(why);
  return std::nullopt;
}

std::optional<Rejection> Planner::expand(const mail::Mailbox& mailbox, Expansion& into) const {
  if (!aliases_.is_ours(mailbox.domain())) {
    into.reach(mailbox);
    if (into.leaves.size() > kMaxTargets) return Rejection{550, {5, 4, 6}, "Too many targets"};
    return std::nullopt;
  }
  if (into.depth >= kMaxDepth) {
    return note_dead(mailbox, {550, {5, 4, 6}, "Alias chain too long"}, into);
  }
  if (!into.visited.insert(mailbox.folded()).second) {
    // Visited before, on another path or in a loop: its leaves have been reached already, or it has
    // none.
    return std::nullopt;
  }
  auto hit = aliases_.find(mailbox, into.now);
  if (!hit) return note_dead(mailbox, hit.error(), into);
  into.rule += (into.rule.empty() ? "" : " > ") + hit->rule;
  if (!into.dmarc) into.dmarc = hit->dmarc;
  if (hit->discards) {
    into.rule += ", discarded";
    into.discards.push_back(mailbox);
  }
  const TargetTerms before = into.here;
  into.here.max_size = tighter(before.max_size, hit->max_size);
  if (hit->fallback) {  // the fallback nearest to the target counts
    into.fallbacks.push_back(*hit->fallback);
    into.here.fallback = static_cast<std::uint16_t>(into.fallbacks.size());
  }
  ++into.depth;
  for (const mail::Mailbox& target : hit->targets) {
    if (auto trouble = expand(target, into)) return trouble;
  }
  --into.depth;
  into.here = before;
  return std::nullopt;
}

bool Planner::is_role(const mail::Mailbox& mailbox) const {
  const bool is_host_name = mailbox.domain().folded() == hostname_;
  const bool is_srs_domain = senders_.is_srs_domain(mailbox.domain());
  if (!is_host_name && !is_srs_domain) return false;
  if (aliases_.is_ours(mailbox.domain())) return false;  // roles are among its aliases
  const auto roles = roles_at(is_host_name, is_srs_domain);
  return std::ranges::find(roles, base::lower(mailbox.local_part())) != roles.end();
}

void Planner::expand_fallbacks(Expansion& into) const {
  for (const mail::Mailbox& fallback : into.fallbacks) {
    Expansion side(into.now);
    const auto trouble = expand(fallback, side);
    std::string objection = trouble ? trouble->text : std::string();
    if (!trouble && side.leaves.empty()) objection = "leads nowhere";
    // A fallback that has not consented gets no mail, even if the others cannot be reached.
    for (const mail::Mailbox& leaf : side.leaves) {
      if (!awaited(leaf).empty()) objection = "has not confirmed";
    }
    into.rule +=
        fmt::format(", {}fallback {}", objection.empty() ? "" : "without ", fallback.to_string());
    if (!objection.empty()) into.rule += ": " + objection;
    into.expanded.emplace_back();
    if (!objection.empty()) continue;
    into.expanded.back() = {.targets = std::move(side.leaves), .terms = std::move(side.terms)};
  }
}

std::optional<Rejection> Planner::expand_all(const mail::Mailbox& mailbox, Expansion& into) const {
  if (auto trouble = expand(mailbox, into)) return trouble;
  expand_fallbacks(into);
  if (!into.leaves.empty() || !into.discards.empty()) return std::nullopt;
  if (into.first_dead) return into.first_dead;
  return Rejection{550, {5, 4, 6}, "Alias leads nowhere (loop)"};
}

Resolution Planner::resolve_role(const mail::ForwardPath& path, base::WallTime now) const {
  Expansion expansion(now);
  if (auto trouble = expand_all(*postmaster_, expansion)) return *trouble;
  std::string rule = "postmaster";
  if (!expansion.rule.empty()) rule += " > " + expansion.rule;
  return std::move(expansion).taken(path, std::move(rule), default_dmarc_);
}

Resolution Planner::resolve(const mail::ForwardPath& path, base::WallTime now) const {
  const bool bare = path.is_bare_postmaster();
  if (postmaster_ && (bare || is_role(path.mailbox()))) return resolve_role(path, now);
  if (bare && !first_domain_) return relaying_denied();
  const mail::Mailbox mailbox =
      bare ? *mail::Mailbox::make("postmaster", *first_domain_) : path.mailbox();
  if (is_bounce_address(path)) {
    auto reversed = senders_.reverse(mailbox, now);
    if (!reversed) return reversed.error();
    if (const auto* lookup = std::get_if<TokenLookup>(&*reversed)) return *lookup;
    if (const auto* nobody = std::get_if<NobodyBehind>(&*reversed)) {
      return ResolvedRecipient{.original = path,
                               .targets = {},
                               .is_bounce = true,
                               .rule = "srs, sender of message " + nobody->message,
                               .dmarc = default_dmarc_,
                               .discards = {mailbox}};
    }
    const auto& origin = std::get<Origin>(*reversed);
    Resolution resolution = resolve_token(path, mail::ReversePath(origin.sender), now);
    if (auto* taken = std::get_if<ResolvedRecipient>(&resolution)) {
      taken->weak = origin.weak;
      taken->guessable = origin.guessable;
    } else if (auto* rejection = std::get_if<Rejection>(&resolution)) {
      rejection->guessable = origin.guessable;
    }
    return resolution;
  }
  if (!aliases_.is_ours(mailbox.domain())) return relaying_denied();
  Expansion expansion(now);
  if (auto trouble = expand_all(mailbox, expansion)) return *trouble;
  std::string rule = expansion.rule;
  return std::move(expansion).taken(path, std::move(rule), default_dmarc_);
}

Resolution Planner::resolve_token(const mail::ForwardPath& original,
                                  const mail::ReversePath& recovered, base::WallTime now) const {
  if (recovered.is_null()) return SenderRewrite::bad_srs_address();
  const mail::Mailbox& sender = recovered.mailbox();
  // Never to an address outside the DNS, and never to another SRS address of ours (loop).
  if (!sender.domain().is_dotted() || is_srs_address(sender)) {
    return SenderRewrite::bad_srs_address();
  }
  if (!aliases_.is_ours(sender.domain())) {
    return ResolvedRecipient{.original = original,
                             .targets = {sender},
                             .is_bounce = true,
                             .rule = "srs",
                             .dmarc = default_dmarc_};
  }
  Expansion expansion(now);
  if (auto trouble = expand_all(sender, expansion)) return *trouble;
  std::string rule = "srs > " + expansion.rule;
  auto taken = std::move(expansion).taken(original, std::move(rule), default_dmarc_);
  taken.is_bounce = true;
  return taken;
}

std::expected<SenderBehind, Rejection> Planner::sender_behind(const mail::ReversePath& sender,
                                                              base::WallTime now) const {
  if (!is_srs_sender(sender)) return SenderBehind{.sender = sender};
  auto reversed = senders_.reverse(sender.mailbox(), now);
  if (!reversed) {
    const Rejection& why = reversed.error();
    return std::unexpected(SenderRewrite::bad_srs_sender(why.bad_bounce_address, why.guessable));
  }
  if (auto* lookup = std::get_if<TokenLookup>(&*reversed)) return SenderBehind{std::move(*lookup)};
  if (std::holds_alternative<NobodyBehind>(*reversed)) return SenderBehind{.sender = sender};
  auto& origin = std::get<Origin>(*reversed);
  return SenderBehind{.sender = mail::ReversePath(std::move(origin.sender)),
                      .guessable = origin.guessable};
}

std::vector<std::string> Planner::awaited(const ResolvedRecipient& recipient) const {
  std::vector<std::string> addresses;
  if (recipient.is_bounce || !confirmed_) return addresses;
  for (const mail::Mailbox& target : recipient.targets) {
    std::string address = awaited(target);
    if (!address.empty()) addresses.push_back(std::move(address));
  }
  return addresses;
}

std::optional<std::string> Planner::rewritten_header(const mail::Header& header,
                                                     const mail::Domain& via) const {
  const std::string& domain = strategy_.identities().rewrite_domain();
  if (domain.empty() || !senders_.rewriter()) return std::nullopt;
  const auto authors = header.find("From");
  if (authors.size() != 1) return std::nullopt;
  // The label is the same for each message of an author. It is a keyed digest: without our secret
  // nobody can tell the author from it.
  const std::string label =
      senders_.rewriter()->digest({"author " + mail::unfolded(authors.front().value), domain});
  return with_new_author(
      header, {.label = label, .domain = *mail::Domain::parse(domain), .via = via.folded()});
}

}  // namespace relay::forward
