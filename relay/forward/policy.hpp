// How mail is forwarded, as the operator wants it: the values that everything in this room is made
// from. They are checked where they are read (relay/settings), and do not change afterwards. Each
// default stands here or in the value's own header, and nowhere else.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "relay/base/source_place.hpp"
#include "relay/forward/aliases.hpp"
#include "relay/forward/confirmed_targets.hpp"
#include "relay/forward/names_of_ours.hpp"
#include "relay/forward/next_hop.hpp"
#include "relay/forward/providers.hpp"
#include "relay/forward/risk_pool.hpp"
#include "relay/forward/target_wishes.hpp"
#include "relay/mail/address.hpp"
#include "relay/mail/retry_policy.hpp"

namespace relay::forward {

/// Which targets agreed to forwarding, and where others may complain.
struct Consent {
  /// Null: no consent is required; the targets in the operator's own files are trusted.
  std::shared_ptr<const ConfirmedTargets> confirmed;
  std::uint32_t max_held = 20;  ///< copies that may wait for one target
  std::string contact;          ///< address or https URL; "": not given
};

struct Policy {
  std::string hostname;  ///< folded
  base::SourcePlace hostname_at = {};
  Defaults defaults;
  std::vector<HostedDomain> domains;
  Consent consent;
  Srs srs;
  std::vector<DkimDomain> dkim;
  Arc arc;
  std::optional<mail::Domain> rewrite_domain;  ///< the domain in From of rewritten mail
  RiskPool risk;
  std::vector<Target> targets;
  std::vector<RouteRule> routes;
  std::vector<Provider> providers;  ///< built-in ones first; each suffix belongs to only one
  mail::RetryPolicy retry;

  /// The domains of our SRS addresses: of [srs], and of [risk] if that names one.
  std::vector<mail::Domain> srs_domains() const {
    std::vector<mail::Domain> found;
    if (srs.domain) found.push_back(*srs.domain);
    if (srs.domain && risk.srs_domain) found.push_back(*risk.srs_domain);
    return found;
  }

  bool is_srs_domain(const mail::Domain& name) const {
    return srs.domain == name || (srs.domain && risk.srs_domain == name);
  }
};

}  // namespace relay::forward
