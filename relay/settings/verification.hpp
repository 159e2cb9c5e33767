// The settings about proof: what is looked up for incoming mail, what happens to mail that is not
// proven, and how copies leave so that the next hop trusts them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "relay/base/rate_table.hpp"
#include "relay/base/secret.hpp"
#include "relay/mail/address.hpp"
#include "relay/settings/place.hpp"

namespace relay::settings {

using std::chrono::seconds;

/// How DMARC's relaxed alignment decides which names belong to one organisation.
enum class OrganisationRule {
  TreeWalk,    ///< by DMARC records of parent domains (RFC 9989)
  SuffixList,  ///< by the Public Suffix List (RFC 7489)
};

/// What is looked up for incoming mail.
struct Auth {
  bool verify = true;
  std::string authserv_id;  ///< our name in Authentication-Results, folded
  seconds timeout{20};      ///< for all lookups of a message together
  OrganisationRule organisation = OrganisationRule::TreeWalk;
};

enum class SealWhen {
  Always,
  WhenUseful,  ///< when it tells the next hop what it cannot verify itself
  Never,
};

struct ArcSealer {
  mail::Domain domain;
  std::string selector;
  base::Secret key;  ///< PEM
  Place at = {};     ///< of the key's name
};

struct Arc {
  std::optional<ArcSealer> sealer;  ///< absent: nothing is sealed
  SealWhen seal = SealWhen::WhenUseful;
  std::vector<std::string> trusted_sealers;  ///< folded; their seals may soften a failure
};

enum class OnDmarcFail {
  Policy,   ///< do as the author's domain asks
  Forward,  ///< forward as doubtful mail, whatever it asks
  Hold,     ///< hold for the operator
};

enum class Quarantine { RiskPool, Tag };

enum class RewriteFrom { Never, WhenNeeded };

/// What happens to mail whose author is not proven, and to mail that loses its proof by forwarding.
struct DmarcSettings {
  OnDmarcFail on_dmarc_fail = OnDmarcFail::Policy;
  Quarantine quarantine = Quarantine::RiskPool;
  RewriteFrom rewrite_from = RewriteFrom::Never;

  friend bool operator==(const DmarcSettings&, const DmarcSettings&) = default;
};

/// The same settings where a domain or an alias sets them.
struct DmarcOverrides {
  std::optional<OnDmarcFail> on_dmarc_fail;
  std::optional<Quarantine> quarantine;
  std::optional<RewriteFrom> rewrite_from;

  DmarcSettings over(const DmarcSettings& outer) const {
    return {.on_dmarc_fail = on_dmarc_fail.value_or(outer.on_dmarc_fail),
            .quarantine = quarantine.value_or(outer.quarantine),
            .rewrite_from = rewrite_from.value_or(outer.rewrite_from)};
  }
};

enum class KeepOrSrs { Srs, Keep };

/// How doubtful mail leaves: apart from other mail, so that it does not spoil its reputation.
struct RiskPool {
  std::vector<std::string> source;    ///< textual IPs, at most one per family; empty: as all mail
  std::uint32_t connections = 2;      ///< per destination
  base::Rate rate{600, seconds(60)};  ///< messages per destination
  /// Domain of SRS addresses for mail whose author is not proven; absent: that of [srs].
  std::optional<mail::Domain> srs_domain = {};
  KeepOrSrs sender = KeepOrSrs::Srs;     ///< for mail whose SPF failed on arrival
  std::string tag = "X-Spam-Flag: YES";  ///< header field, without CRLF
};

/// What the hosts of one target domain want; applied when a message is accepted.
struct Target {
  std::string match;            ///< "*", "*.corp.example" or a domain, folded
  std::optional<SealWhen> arc;  ///< absent: the setting of [arc]
  KeepOrSrs sender = KeepOrSrs::Srs;
};

/// Who may get our notices (DSNs): the address of an unauthenticated sender may be anybody's.
enum class NoticesTo { Authenticated, Anyone };

/// Who is told when some mailboxes behind an alias did not get a message, and others did or still
/// may.
enum class PartialFailures { Sender, Postmaster, Nobody };

}  // namespace relay::settings
