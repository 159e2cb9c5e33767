// The part of the settings that is about proof: what is looked up of incoming mail, what becomes of
// mail that is not proven, and how copies leave so that the next hop believes them.
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

/// Which names belong to one organisation, for DMARC's relaxed alignment.
enum class OrganisationRule {
  TreeWalk,    ///< by DMARC records on the way up (RFC 9989)
  SuffixList,  ///< by the Public Suffix List (RFC 7489)
};

/// What is looked up about incoming mail.
struct Auth {
  bool verify = true;
  std::string authserv_id;  ///< names us in Authentication-Results; folded
  seconds timeout{20};      ///< for all of it together
  OrganisationRule organisation = OrganisationRule::TreeWalk;
};

enum class SealWhen {
  Always,
  WhenUseful,  ///< where it tells the next hop something that it cannot see for itself
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
  std::vector<std::string> trusted_sealers;  ///< folded; whose word may soften a failure
};

enum class OnDmarcFail {
  Policy,   ///< as the author's domain asks
  Forward,  ///< as doubtful mail, whatever it asks
  Hold,     ///< for the operator to look at
};

enum class Quarantine { RiskPool, Tag };

enum class RewriteFrom { Never, WhenNeeded };

/// What becomes of mail whose author is not proven, and of mail that cannot be proven further on.
struct DmarcSettings {
  OnDmarcFail on_dmarc_fail = OnDmarcFail::Policy;
  Quarantine quarantine = Quarantine::RiskPool;
  RewriteFrom rewrite_from = RewriteFrom::Never;

  friend bool operator==(const DmarcSettings&, const DmarcSettings&) = default;
};

/// The same, as far as a domain or an alias has its own word.
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

/// How doubtful mail leaves: apart from the rest, so that its reputation stays apart.
struct RiskPool {
  std::vector<std::string> source;    ///< textual IPs, at most one per family; empty: as all mail
  std::uint32_t connections = 2;      ///< per destination
  base::Rate rate{600, seconds(60)};  ///< messages per destination
  /// Of the SRS addresses for mail whose author is not proven; absent: that of [srs].
  std::optional<mail::Domain> srs_domain = {};
  KeepOrSrs sender = KeepOrSrs::Srs;     ///< of mail whose SPF failed on arrival
  std::string tag = "X-Spam-Flag: YES";  ///< header field, without CRLF
};

/// What one target wants; asked when a message is accepted.
struct Target {
  std::string match;            ///< "*", "*.corp.example" or a domain, folded
  std::optional<SealWhen> arc;  ///< absent: as [arc] says
  KeepOrSrs sender = KeepOrSrs::Srs;
};

/// To whom our own notices (DSNs) may go: a strange sender's address may be anybody's.
enum class NoticesTo { Authenticated, Anyone };

/// Who hears of it when some of the mailboxes behind an alias did not get a message, and others did
/// or still may.
enum class PartialFailures { Sender, Postmaster, Nobody };

}  // namespace relay::settings
