// Follows the aliases of our own domains from one recipient down to the addresses elsewhere. A
// branch that leads nowhere does not affect the other branches; it is noted for the operator.
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
#include "relay/forward/confirmed_targets.hpp"
#include "relay/forward/rejection.hpp"
#include "relay/forward/resolved_recipient.hpp"
#include "relay/mail/address.hpp"

namespace relay::forward {

/// For one recipient; both arguments outlive it. `confirmed` is null where no consent is required.
class AliasExpansion {
 public:
  AliasExpansion(const AliasMap& aliases, const ConfirmedTargets* confirmed, base::WallTime now)
      : aliases_(aliases), confirmed_(confirmed), now_(now) {}

  /// Call once. Returns why mail for the recipient is refused: it is no alias, there are too many
  /// targets, or no branch and no fallback leads anywhere.
  std::optional<Rejection> expand(const mail::Mailbox& recipient);

  /// What was found. `rule` stands in front of the rules that were followed.
  ResolvedRecipient recipient(const mail::ForwardPath& original, std::string_view rule,
                              const DmarcSettings& default_dmarc) &&;

 private:
  /// How an alias was reached so far; it is followed again when another path does better.
  struct Visit {
    std::size_t depth;
    std::uint64_t max_size;       ///< 0: any
    bool is_backed;               ///< a fallback of an alias above stands by for it
    std::uint16_t fallback = 0;   ///< its own, as in TargetTerms
    bool lives = false;           ///< something below it gets the mail
    std::vector<Visit*> above{};  ///< the aliases that name it
  };

  /// A fallback, and the alias for whose targets it stands by.
  struct StandIn {
    mail::Mailbox address;
    Visit* alias;
    TargetTerms terms;  ///< of a target of that alias, but for this fallback
  };

  std::optional<Rejection> follow(const mail::Mailbox& mailbox);
  std::optional<Rejection> follow_targets(const AliasHit& hit, Visit& visit);
  std::optional<Rejection> reach(const mail::Mailbox& leaf);
  /// The alias that is followed now names `visit`.
  void note_path(Visit& visit);
  static void note_life(Visit& visit);
  void note_fallback(const mail::Mailbox& address, Visit& visit, std::uint16_t outer);
  /// Notes how `visit` is reached from here; false if that is no better than what is known.
  bool does_better(Visit& visit) const;
  /// At the recipient itself it is the refusal; below, it is noted.
  std::optional<Rejection> note_dead(const std::string& address, Rejection why);
  void forgive(const std::string& address);
  void note_rule(const AliasHit& hit, const mail::Mailbox& mailbox);
  std::optional<Rejection> expand_fallbacks();
  std::optional<Rejection> objection_to(const mail::Mailbox& fallback, AliasExpansion& side) const;
  /// The targets of a fallback get the mail at once, because its alias has no other target.
  std::optional<Rejection> step_in(const StandIn& fallback, const AliasExpansion& side);
  /// The targets of a fallback are kept, without those for which it stands by. False: none is left.
  bool stand_by(std::uint16_t number, AliasExpansion& side);
  bool has_targets(std::uint16_t fallback) const;

  const AliasMap& aliases_;
  const ConfirmedTargets* confirmed_;
  const base::WallTime now_;

  std::vector<mail::Mailbox> leaves_;
  std::vector<TargetTerms> terms_;  ///< parallel to `leaves_`
  TargetTerms here_;  ///< combined terms of the aliases from the recipient down to here
  std::vector<mail::Mailbox> discards_;
  std::vector<StandIn> fallbacks_;  ///< TargetTerms::fallback is the index + 1
  std::vector<Fallback> expanded_;  ///< parallel to `fallbacks_`; empty where it does not stand by
  std::unordered_map<std::string, std::size_t> reached_;  ///< folded leaf -> its index in `leaves_`
  std::unordered_map<std::string, Visit> visited_;        ///< by folded alias
  std::set<std::string> path_;  ///< folded aliases from the recipient down to here
  std::vector<Visit*> trail_;   ///< the same, in order
  std::string rule_;
  std::optional<DmarcSettings> dmarc_;
  std::vector<DeadMember> dead_;
  std::optional<Rejection> first_dead_;
};

}  // namespace relay::forward
