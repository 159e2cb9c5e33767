// Follows the aliases of our own domains from one recipient down to the addresses elsewhere. A
// branch that leads nowhere costs the other branches nothing: it is noted, for the operator.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "relay/base/time.hpp"
#include "relay/forward/alias_map.hpp"
#include "relay/forward/rejection.hpp"
#include "relay/forward/resolved_recipient.hpp"
#include "relay/mail/address.hpp"
#include "relay/settings/confirmed_targets.hpp"

namespace relay::forward {

/// For one recipient; both arguments outlive it. `confirmed` is null where no consent is required.
class AliasExpansion {
 public:
  AliasExpansion(const AliasMap& aliases, const settings::ConfirmedTargets* confirmed,
                 base::WallTime now)
      : aliases_(aliases), confirmed_(confirmed), now_(now) {}

  /// Call once. Returns why mail for the recipient is refused: it is no alias, there are too many
  /// targets, or no branch and no fallback leads anywhere.
  std::optional<Rejection> expand(const mail::Mailbox& recipient);

  /// What was found. `rule` stands in front of the rules that were followed.
  ResolvedRecipient recipient(const mail::ForwardPath& original, std::string_view rule,
                              const settings::DmarcSettings& default_dmarc) &&;

 private:
  /// How an alias was reached so far; it is followed again when another path does better.
  struct Visit {
    std::size_t depth;
    std::uint64_t max_size;      ///< 0: any
    std::uint16_t fallback = 0;  ///< as in TargetTerms
  };

  std::optional<Rejection> follow(const mail::Mailbox& mailbox);
  std::optional<Rejection> follow_targets(const AliasHit& hit, Visit& visit);
  std::optional<Rejection> reach(const mail::Mailbox& leaf);
  /// Notes how `visit` is reached from here; false if that is no better than what is known.
  bool does_better(Visit& visit) const;
  /// At the recipient itself it is the refusal; below, it is noted.
  std::optional<Rejection> note_dead(const std::string& address, Rejection why);
  void forgive(const std::string& address);
  void note_rule(const AliasHit& hit, const mail::Mailbox& mailbox);
  void expand_fallbacks();
  std::string objection_to(const mail::Mailbox& fallback, AliasExpansion& side) const;
  /// Makes the fallbacks' targets its own, where every branch in front of them is dead.
  void step_in();

  const AliasMap& aliases_;
  const settings::ConfirmedTargets* confirmed_;
  const base::WallTime now_;

  std::vector<mail::Mailbox> leaves_;
  std::vector<TargetTerms> terms_;  ///< parallel to `leaves_`
  TargetTerms here_;  ///< combined terms of the aliases from the recipient down to here
  std::vector<mail::Mailbox> discards_;
  std::vector<mail::Mailbox> fallbacks_;  ///< TargetTerms::fallback is the index + 1
  std::vector<Fallback> expanded_;        ///< parallel to `fallbacks_`
  std::unordered_map<std::string, std::size_t> reached_;  ///< folded leaf -> its index in `leaves_`
  std::unordered_map<std::string, Visit> visited_;        ///< by folded alias
  std::set<std::string> path_;  ///< folded aliases from the recipient down to here
  std::string rule_;
  std::optional<settings::DmarcSettings> dmarc_;
  std::vector<DeadMember> dead_;
  std::optional<Rejection> first_dead_;
};

}  // namespace relay::forward
