// Who gets the mail for one recipient.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "relay/forward/dmarc_settings.hpp"
#include "relay/forward/rejection.hpp"
#include "relay/forward/sender_rewrite.hpp"
#include "relay/mail/address.hpp"
#include "relay/mail/status.hpp"

namespace relay::forward {

inline constexpr std::size_t kMaxTargets = 1000;  ///< of one message

/// What the aliases on the way to a target ask for.
struct TargetTerms {
  std::uint64_t max_size = 0;  ///< octets of a message; 0: any
  std::uint16_t fallback = 0;  ///< index + 1 in ResolvedRecipient::fallbacks; 0: none

  bool takes(std::uint64_t size) const { return max_size == 0 || size <= max_size; }
};

/// Where mail goes when no target of an alias has taken it. If the fallback address is an alias of
/// ours with a fallback of its own, that second fallback is ignored.
struct Fallback {
  std::vector<mail::Mailbox> targets;  ///< outside our domains; empty: the fallback leads nowhere
  std::vector<TargetTerms> terms;      ///< parallel to `targets`
};

/// A branch of an alias that leads nowhere. It does not affect the other branches.
struct DeadMember {
  std::string address;
  std::string why;  ///< one line, as a client would hear it
  mail::EnhancedStatus status{};
  bool is_fallback = false;  ///< it would have stood by only
};

/// A recipient we take responsibility for.
struct ResolvedRecipient {
  mail::ForwardPath original;
  std::vector<mail::Mailbox> targets;  ///< outside our domains, without duplicates
  bool is_bounce = false;              ///< a reversed SRS address
  bool weak = false;                   ///< … whose hash is short and proves little
  bool guessable = false;              ///< … of a scheme whose tags can be found by brute force
  /// Which rules led to the targets, for the log and `resolve`; AliasHit::rule has their form.
  std::string rule;
  /// Settings of the first alias that was followed, else of its domain, else the defaults. All
  /// recipients of one message must have the same, because a message is refused or held as a whole.
  DmarcSettings dmarc;
  std::vector<mail::Mailbox> discards = {};  ///< followed aliases that throw mail away
  std::vector<TargetTerms> terms = {};       ///< parallel to `targets`; missing ones: no terms
  std::vector<Fallback> fallbacks = {};
  std::vector<DeadMember> dead = {};

  /// True if at least one copy can be made of a message of `size` octets.
  bool takes(std::uint64_t size) const {
    return !discards.empty() || terms.size() < targets.size() ||
           std::ranges::any_of(terms, [&](const TargetTerms& one) { return one.takes(size); });
  }

  TargetTerms terms_of(std::size_t target) const {
    return target < terms.size() ? terms[target] : TargetTerms();
  }

  std::size_t copies() const { return targets.size() + discards.size(); }

  /// Precondition: there is a target or a discarding alias.
  const mail::Mailbox& first_target() const {
    return targets.empty() ? discards.front() : targets.front();
  }
};

using Resolution = std::variant<ResolvedRecipient, TokenLookup, Rejection>;

}  // namespace relay::forward
