#include "relay/forward/alias_expansion.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace relay::forward {

namespace {

constexpr std::size_t kMaxDepth = 10;

constexpr std::string_view kTooLong = "Alias chain too long";

/// The smaller of two limits, where 0 means unlimited.
std::uint64_t tighter(std::uint64_t a, std::uint64_t b) {
  if (a == 0 || b == 0) return std::max(a, b);
  return std::min(a, b);
}

/// The larger of two limits, where 0 means unlimited.
std::uint64_t wider(std::uint64_t a, std::uint64_t b) {
  return a == 0 || b == 0 ? 0 : std::max(a, b);
}

Rejection routing_loop(std::string_view text) { return {550, {5, 4, 6}, std::string(text)}; }

}  // namespace

/// A leaf that is reached along several paths gets the most generous size limit of them, and a
/// fallback if one of them has any: the order of members changes nothing.
std::optional<Rejection> AliasExpansion::reach(const mail::Mailbox& leaf) {
  const auto [at, is_new] = reached_.try_emplace(leaf.folded(), leaves_.size());
  if (is_new) {
    leaves_.push_back(leaf);
    terms_.push_back(here_);
  } else {
    TargetTerms& known = terms_[at->second];
    known.max_size = wider(known.max_size, here_.max_size);
    if (known.fallback == 0) known.fallback = here_.fallback;
  }
  if (!trail_.empty()) note_life(*trail_.back());
  if (leaves_.size() > kMaxTargets) return routing_loop("Too many targets");
  return std::nullopt;
}

void AliasExpansion::note_life(Visit& visit) {
  std::vector<Visit*> next{&visit};
  while (!next.empty()) {
    Visit& alias = *next.back();
    next.pop_back();
    if (std::exchange(alias.lives, true)) continue;
    next.insert(next.end(), alias.above.begin(), alias.above.end());
  }
}

void AliasExpansion::note_path(Visit& visit) {
  if (trail_.empty()) return;
  Visit* const here = trail_.back();
  if (std::ranges::find(visit.above, here) == visit.above.end()) visit.above.push_back(here);
  if (visit.lives) note_life(*here);
}

/// Follow an alias again on a better path: on a shorter one, a branch that was cut off as too long
/// may end well; on one with a wider size limit, its targets take more; on one with a fallback, the
/// fallback stands by for them.
bool AliasExpansion::does_better(Visit& visit) const {
  const std::size_t depth = std::min(visit.depth, path_.size());
  const std::uint64_t widest = wider(visit.max_size, here_.max_size);
  const bool is_backed = visit.is_backed || here_.fallback > 0;
  const bool is_better =
      depth < visit.depth || widest != visit.max_size || is_backed != visit.is_backed;
  visit.depth = depth;
  visit.max_size = widest;
  visit.is_backed = is_backed;
  return is_better;
}

std::optional<Rejection> AliasExpansion::note_dead(const std::string& address, Rejection why) {
  if (path_.empty()) return why;
  if (std::ranges::find(dead_, address, &DeadMember::address) == dead_.end()) {
    dead_.push_back({address, why.text, why.status});
  }
  if (!first_dead_) first_dead_ = std::move(why);
  return std::nullopt;
}

/// A branch that was too long on one path may be reached on another.
void AliasExpansion::forgive(const std::string& address) {
  std::erase_if(
      dead_, [&](const DeadMember& one) { return one.address == address && one.why == kTooLong; });
}

void AliasExpansion::note_rule(const AliasHit& hit, const mail::Mailbox& mailbox) {
  rule_ += (rule_.empty() ? "" : " > ") + hit.rule;
  if (!dmarc_) dmarc_ = hit.dmarc;
  if (!hit.discards) return;
  rule_ += ", discarded";
  discards_.push_back(mailbox);
}

std::optional<Rejection> AliasExpansion::follow(const mail::Mailbox& mailbox) {
  if (!aliases_.is_ours(mailbox.domain())) return reach(mailbox);
  const std::string folded = mailbox.folded();
  if (path_.contains(folded)) {
    return note_dead(mailbox.to_string(), routing_loop("Alias leads back to itself"));
  }
  if (path_.size() >= kMaxDepth) return note_dead(mailbox.to_string(), routing_loop(kTooLong));
  const auto [at, is_first] =
      visited_.try_emplace(folded, Visit{path_.size(), here_.max_size, here_.fallback > 0});
  Visit& visit = at->second;
  note_path(visit);
  if (!is_first && !does_better(visit)) return std::nullopt;
  const auto hit = aliases_.find(mailbox, now_);
  if (!hit) return note_dead(mailbox.to_string(), hit.error());
  if (is_first) note_rule(*hit, mailbox);
  if (!dead_.empty()) forgive(mailbox.to_string());
  path_.insert(folded);
  trail_.push_back(&visit);
  if (hit->discards) note_life(visit);
  auto refusal = follow_targets(*hit, visit);
  trail_.pop_back();
  path_.erase(folded);
  return refusal;
}

void AliasExpansion::note_fallback(const mail::Mailbox& address, Visit& visit,
                                   std::uint16_t outer) {
  if (visit.fallback == 0) {
    fallbacks_.push_back({address, &visit, {.max_size = here_.max_size, .fallback = outer}});
    visit.fallback = static_cast<std::uint16_t>(fallbacks_.size());
  } else {
    TargetTerms& known = fallbacks_[visit.fallback - 1U].terms;
    known.max_size = wider(known.max_size, here_.max_size);
    if (known.fallback == 0) known.fallback = outer;
  }
  here_.fallback = visit.fallback;  // the one nearest to the target counts
}

std::optional<Rejection> AliasExpansion::follow_targets(const AliasHit& hit, Visit& visit) {
  const TargetTerms before = here_;
  here_.max_size = tighter(before.max_size, hit.max_size);
  if (hit.fallback) note_fallback(*hit.fallback, visit, before.fallback);
  for (const std::string& text : hit.no_addresses) {
    note_dead(text, {550, {5, 1, 1}, "Not an address"});
  }
  std::optional<Rejection> refusal;
  for (const mail::Mailbox& target : hit.targets) {
    refusal = follow(target);
    if (refusal) break;
  }
  here_ = before;
  return refusal;
}

/// Why the fallback can take no mail.
std::optional<Rejection> AliasExpansion::objection_to(const mail::Mailbox& fallback,
                                                      AliasExpansion& side) const {
  if (auto refusal = side.follow(fallback)) return refusal;
  if (side.leaves_.empty()) return routing_loop("leads nowhere");
  // A fallback that has not consented gets no mail, even if the others cannot be reached.
  for (const mail::Mailbox& leaf : side.leaves_) {
    if (confirmed_ == nullptr || confirmed_->awaited(leaf).empty()) continue;
    return Rejection{550, {5, 7, 1}, "has not confirmed"};
  }
  return std::nullopt;
}

bool AliasExpansion::has_targets(std::uint16_t fallback) const {
  return std::ranges::find(terms_, fallback, &TargetTerms::fallback) != terms_.end();
}

std::optional<Rejection> AliasExpansion::step_in(const StandIn& fallback,
                                                 const AliasExpansion& side) {
  trail_ = {fallback.alias};
  for (std::size_t i = 0; i < side.leaves_.size(); ++i) {
    here_ = fallback.terms;
    here_.max_size = tighter(here_.max_size, side.terms_[i].max_size);
    if (auto refusal = reach(side.leaves_[i])) return refusal;
  }
  return std::nullopt;
}

bool AliasExpansion::stand_by(std::uint16_t number, AliasExpansion& side) {
  Fallback& kept = expanded_[number - 1U];
  for (std::size_t i = 0; i < side.leaves_.size(); ++i) {
    const auto known = reached_.find(side.leaves_[i].folded());
    if (known != reached_.end() && terms_[known->second].fallback == number) continue;
    kept.targets.push_back(side.leaves_[i]);
    kept.terms.push_back(side.terms_[i]);
  }
  return !kept.targets.empty();
}

/// The innermost first: a fallback that steps in is a target of the alias around it.
std::optional<Rejection> AliasExpansion::expand_fallbacks() {
  expanded_.resize(fallbacks_.size());
  for (std::size_t number = fallbacks_.size(); number > 0; --number) {
    const StandIn& fallback = fallbacks_[number - 1];
    const auto group = static_cast<std::uint16_t>(number);
    const bool is_needed_now = !fallback.alias->lives;
    // All its targets have a nearer one, or throw mail away.
    if (!is_needed_now && !has_targets(group)) continue;
    AliasExpansion side(aliases_, confirmed_, now_);
    auto objection = objection_to(fallback.address, side);
    if (!objection && is_needed_now) {
      if (auto refusal = step_in(fallback, side)) return refusal;
    } else if (!objection && !stand_by(group, side)) {
      objection = routing_loop("leads to the same addresses");
    }
    if (objection) {
      dead_.push_back(
          {fallback.address.to_string(), std::move(objection->text), objection->status, true});
      continue;
    }
    rule_ += ", fallback " + fallback.address.to_string();
    for (DeadMember& one : side.dead_) {
      one.is_fallback = true;
      dead_.push_back(std::move(one));
    }
  }
  return std::nullopt;
}

std::optional<Rejection> AliasExpansion::expand(const mail::Mailbox& recipient) {
  if (auto refusal = follow(recipient)) return refusal;
  if (auto refusal = expand_fallbacks()) return refusal;
  if (!leaves_.empty() || !discards_.empty()) return std::nullopt;
  return first_dead_ ? first_dead_ : routing_loop("Alias leads nowhere");
}

ResolvedRecipient AliasExpansion::recipient(const mail::ForwardPath& original,
                                            std::string_view rule,
                                            const DmarcSettings& default_dmarc) && {
  const std::string_view between = rule.empty() || rule_.empty() ? "" : " > ";
  return {.original = original,
          .targets = std::move(leaves_),
          .rule = fmt::format("{}{}{}", rule, between, rule_),
          .dmarc = dmarc_.value_or(default_dmarc),
          .discards = std::move(discards_),
          .terms = std::move(terms_),
          .fallbacks = std::move(expanded_),
          .dead = std::move(dead_)};
}

}  // namespace relay::forward
