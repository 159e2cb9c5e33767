#include "relay/forward/copies.hpp"

#include <set>
#include <utility>

namespace relay::forward {

namespace {

Rejection too_many() { return {452, {4, 5, 3}, "Too many targets in one message"}; }

}  // namespace

std::optional<Rejection> Copies::add(const ResolvedRecipient& recipient) {
  std::vector<std::uint16_t> numbers(recipient.fallbacks.size());  // of their groups
  for (std::size_t i = 0; i < recipient.targets.size(); ++i) {
    const mail::Mailbox& target = recipient.targets[i];
    const TargetTerms terms = recipient.terms_of(i);
    // A copy that is too large here may be made for another alias of the same target.
    if (has_copy(target, terms.fallback > 0)) continue;
    std::uint16_t group = 0;
    if (terms.fallback > 0 && terms.takes(size_)) {
      std::uint16_t& number = numbers[terms.fallback - 1U];
      if (number == 0) number = ++groups_;
      group = number;
    }
    auto refusal = terms.takes(size_) ? add_copy(target, group, recipient)
                                      : add_ended(target, mail::End::Refused, recipient);
    if (refusal) return refusal;
  }
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (numbers[i] > 0) add_fallback(recipient.fallbacks[i], numbers[i], recipient);
  }
  for (const mail::Mailbox& alias : recipient.discards) {
    if (!reached_.try_emplace(alias.folded(), 0).second) continue;
    auto refusal = add_ended(alias, mail::End::Discarded, recipient);
    if (refusal) return refusal;
  }
  return std::nullopt;
}

/// True if this recipient needs no copy of its own. A copy with a fallback does not count for a
/// recipient without one: when it fails, this recipient is owed a DSN.
bool Copies::has_copy(const mail::Mailbox& target, bool may_be_replaced) const {
  const auto found = reached_.find(target.folded());
  return found != reached_.end() && (found->second == 0 || may_be_replaced);
}

std::optional<Rejection> Copies::add_copy(const mail::Mailbox& target, std::uint16_t group,
                                          const ResolvedRecipient& recipient) {
  if (routes_.size() >= kMaxTargets) return too_many();
  mail::Route route = route_to(target, recipient);
  auto chosen = senders_.settle(recipient, route);
  if (!chosen) return std::move(chosen.error());
  if (!recipient.is_bounce) route.awaits = directory_.awaited(target);
  route.mark = mark_for(recipient);
  route.group = group;
  reached_.insert_or_assign(target.folded(), group);
  keep(std::move(route), *chosen);
  return std::nullopt;
}

/// Adds copies that stand by for the group; if none can be made, dissolves the group.
void Copies::add_fallback(const Fallback& fallback, std::uint16_t group,
                          const ResolvedRecipient& recipient) {
  std::set<std::string> others;
  for (const mail::Route& route : routes_) {
    if (route.group == group) others.insert(route.target.folded());
  }
  bool stands_by = false;
  for (std::size_t i = 0; i < fallback.targets.size() && !others.empty(); ++i) {
    const mail::Mailbox& target = fallback.targets[i];
    if (others.contains(target.folded()) || !fallback.terms[i].takes(size_)) continue;
    stands_by = add_standby(target, group, recipient) || stands_by;
  }
  if (stands_by) return;
  for (mail::Route& route : routes_) {
    if (route.group != group) continue;
    route.group = 0;
    reached_.insert_or_assign(route.target.folded(), 0);
  }
}

/// False if there can be no such copy; the others leave without it.
bool Copies::add_standby(const mail::Mailbox& target, std::uint16_t group,
                         const ResolvedRecipient& recipient) {
  if (routes_.size() >= kMaxTargets) return false;
  mail::Route route = route_to(target, recipient);
  const auto chosen = senders_.settle(recipient, route);
  if (!chosen) return false;
  route.mark = mark_for(recipient);
  route.group = group;
  route.stands_by = true;
  keep(std::move(route), *chosen);
  return true;
}

/// Adds a copy that has ended already and does not leave.
std::optional<Rejection> Copies::add_ended(const mail::Mailbox& target, mail::End ended,
                                           const ResolvedRecipient& recipient) {
  if (routes_.size() >= kMaxTargets) return too_many();
  mail::Route route = route_to(target, recipient);
  route.ended = ended;
  auto chosen = senders_.settle_ended(recipient, route);
  if (!chosen) return std::move(chosen.error());
  keep(std::move(route), *chosen);
  return std::nullopt;
}

mail::Route Copies::route_to(const mail::Mailbox& target,
                             const ResolvedRecipient& recipient) const {
  return {.index = static_cast<std::uint16_t>(routes_.size()),
          .original = recipient.original,
          .target = target,
          .reverse_path = {}};
}

/// The mark by which a copy names the alias that it came through. None for SRS addresses, for a
/// bare <postmaster>, and for an alias in UTF-8, whose name would make the message need SMTPUTF8.
mail::AliasMark Copies::mark_for(const ResolvedRecipient& recipient) const {
  const mail::ForwardPath& alias = recipient.original;
  const bool is_named = !recipient.is_bounce && !alias.is_bare_postmaster();
  return is_named && !alias.mailbox().is_utf8() ? mark_ : mail::AliasMark::None;
}

void Copies::keep(mail::Route route, CopySenders::Chosen chosen) {
  routes_.push_back(std::move(route));
  if (chosen) chosen_.push_back(*chosen);
}

}  // namespace relay::forward
