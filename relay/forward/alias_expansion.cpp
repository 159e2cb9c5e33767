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

/// A leaf that is reached along several paths gets the most generous size limit of them.
std::optional<Rejection> AliasExpansion::reach(const mail::Mailbox& leaf) {
  const auto [at, is_new] = reached_.try_emplace(leaf.folded(), leaves_.size());
  if (is_new) {
    leaves_.push_back(leaf);
    terms_.push_back(here_);
  } else {
    std::uint64_t& known = terms_[at->second].max_size;
    known = wider(known, here_.max_size);
  }
  if (leaves_.size() > kMaxTargets) return routing_loop("Too many targets");
  return std::nullopt;
}

/// On a shorter path a branch that was cut off as too long may end well; on one with a wider limit
/// its targets take more.
bool AliasExpansion::does_better(Visit& visit) const {
  const std::size_t depth = std::min(visit.depth, path_.size());
  const std::uint64_t widest = wider(visit.max_size, here_.max_size);
  const bool is_better = depth < visit.depth || widest != visit.max_size;
  visit.depth = depth;
  visit.max_size = widest;
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

/// What was too long on one path may be reached on another.
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
  const auto [at, is_first] = visited_.try_emplace(folded, Visit{path_.size(), here_.max_size});
  if (!is_first && !does_better(at->second)) return std::nullopt;
  const auto hit = aliases_.find(mailbox, now_);
  if (!hit) return note_dead(mailbox.to_string(), hit.error());
  if (is_first) note_rule(*hit, mailbox);
  if (!dead_.empty()) forgive(mailbox.to_string());
  path_.insert(folded);
  auto refusal = follow_targets(*hit, at->second);
  path_.erase(folded);
  return refusal;
}

std::optional<Rejection> AliasExpansion::follow_targets(const AliasHit& hit, Visit& visit) {
  const TargetTerms before = here_;
  here_.max_size = tighter(before.max_size, hit.max_size);
  if (hit.fallback && visit.fallback == 0) {
    fallbacks_.push_back(*hit.fallback);
    visit.fallback = static_cast<std::uint16_t>(fallbacks_.size());
  }
  if (hit.fallback) here_.fallback = visit.fallback;  // the one nearest to the target counts
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

/// "" if the fallback can take mail; else why not.
std::string AliasExpansion::objection_to(const mail::Mailbox& fallback,
                                         AliasExpansion& side) const {
  if (const auto refusal = side.follow(fallback)) return refusal->text;
  if (side.leaves_.empty()) return "leads nowhere";
  // A fallback that has not consented gets no mail, even if the others cannot be reached.
  for (const mail::Mailbox& leaf : side.leaves_) {
    if (confirmed_ != nullptr && !confirmed_->awaited(leaf).empty()) return "has not confirmed";
  }
  return {};
}

void AliasExpansion::expand_fallbacks() {
  for (const mail::Mailbox& fallback : fallbacks_) {
    AliasExpansion side(aliases_, confirmed_, now_);
    std::string objection = objection_to(fallback, side);
    expanded_.emplace_back();
    if (!objection.empty()) {
      dead_.push_back({fallback.to_string(), std::move(objection), {}, true});
      continue;
    }
    rule_ += ", fallback " + fallback.to_string();
    for (DeadMember& one : side.dead_) {
      one.is_fallback = true;
      dead_.push_back(std::move(one));
    }
    expanded_.back() = {.targets = std::move(side.leaves_), .terms = std::move(side.terms_)};
  }
}

void AliasExpansion::step_in() {
  here_ = {};
  for (Fallback& fallback : std::exchange(expanded_, {})) {
    for (std::size_t i = 0; i < fallback.targets.size(); ++i) {
      here_.max_size = fallback.terms[i].max_size;
      reach(fallback.targets[i]);
    }
  }
}

std::optional<Rejection> AliasExpansion::expand(const mail::Mailbox& recipient) {
  if (auto refusal = follow(recipient)) return refusal;
  expand_fallbacks();
  if (leaves_.empty() && discards_.empty()) step_in();
  if (!leaves_.empty() || !discards_.empty()) return std::nullopt;
  return first_dead_ ? first_dead_ : routing_loop("Alias leads nowhere");
}

ResolvedRecipient AliasExpansion::recipient(const mail::ForwardPath& original,
                                            std::string_view rule,
                                            const settings::DmarcSettings& default_dmarc) && {
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
