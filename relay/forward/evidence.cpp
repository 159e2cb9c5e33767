#include "relay/forward/evidence.hpp"

#include <algorithm>

#include "relay/base/sabotage.hpp"

namespace relay::forward {

namespace {

using mail::DkimResult;
using mail::DmarcResult;
using mail::SpfResult;

const std::string& author_of(const Evidence& evidence) {
  return evidence.verdicts.dmarc.from_domain;
}

const mail::SpfVerdict& spf_of(const Evidence& evidence) {
  return evidence.verdicts.spf(evidence.sender.is_null());
}

bool any_signature(const Identities& identities, const Evidence& evidence, DkimResult result) {
  return std::ranges::any_of(evidence.verdicts.dkim, [&](const mail::DkimVerdict& one) {
    return one.result == result && !one.testing &&
           identities.same_organisation(one.domain, author_of(evidence));
  });
}

bool spf_is(const Identities& identities, const Evidence& evidence, SpfResult result) {
  const mail::SpfVerdict& spf = spf_of(evidence);
  return spf.result == result && identities.same_organisation(spf.domain, author_of(evidence));
}

/// The author's domain publishes nothing. A domain of ours is asked for proof all the same, so a
/// lookup that failed must not be taken for a forgery.
Standing standing_without_record(const Identities& identities, const Evidence& evidence) {
  if (any_signature(identities, evidence, DkimResult::Pass)) return Standing::Signed;
  if (spf_is(identities, evidence, SpfResult::Pass)) return Standing::SpfOnly;
  const bool later = any_signature(identities, evidence, DkimResult::TempError) ||
                     spf_is(identities, evidence, SpfResult::TempError);
  return later && identities.is_ours(author_of(evidence)) ? Standing::Unknown : Standing::Unproven;
}

}  // namespace

Standing standing_of(const Identities& identities, const Evidence& evidence) {
  const mail::DmarcVerdict& dmarc = evidence.verdicts.dmarc;
  if (dmarc.result == DmarcResult::TempError) return Standing::Unknown;
  if (dmarc.result == DmarcResult::Pass && dmarc.dkim_aligned) return Standing::Signed;
  if (dmarc.result == DmarcResult::Pass && dmarc.spf_aligned) return Standing::SpfOnly;
  if (dmarc.from_domain.empty()) {
    // Several authors, each proven, but not in the same way: the weaker way counts.
    return dmarc.result == DmarcResult::Pass ? Standing::SpfOnly : Standing::Unclear;
  }
  if (dmarc.result == DmarcResult::PermError) return Standing::Unclear;
  if (dmarc.result == DmarcResult::None) return standing_without_record(identities, evidence);
  return Standing::Unproven;
}

bool has_failed(const Evidence& evidence) {
  if (base::sabotaged(base::Sabotage::LaunderingAllowed)) return false;
  const DmarcResult found = evidence.verdicts.dmarc.result;
  return found == DmarcResult::Fail || found == DmarcResult::PermError;
}

bool is_sender_proven(const Identities& identities, const Evidence& evidence) {
  if (spf_of(evidence).result == SpfResult::Pass) return true;
  return !evidence.sender.is_null() && is_proven(standing_of(identities, evidence)) &&
         identities.same_organisation(evidence.sender.mailbox().domain().folded(),
                                      author_of(evidence));
}

bool may_be_authorised(const Identities& identities, const Evidence& evidence) {
  if (evidence.sender.is_null()) return true;  // HELO is ours
  if (identities.is_ours(evidence.sender.mailbox().domain().folded())) return true;
  return !evidence.egress_spf || *evidence.egress_spf == SpfResult::Pass ||
         *evidence.egress_spf == SpfResult::TempError;
}

bool may_keep_sender(const Identities& identities, const Evidence& evidence) {
  if (!may_be_authorised(identities, evidence)) return true;
  const bool proven = is_proven(standing_of(identities, evidence));
  if (evidence.sender.is_null()) {
    return proven || !identities.could_align(identities.helo(), author_of(evidence));
  }
  const std::string& domain = evidence.sender.mailbox().domain().folded();
  if (!proven && identities.could_align(domain, author_of(evidence))) return false;
  const bool surely = identities.is_ours(domain) || evidence.egress_spf == SpfResult::Pass;
  return !surely || is_sender_proven(identities, evidence);
}

bool may_use_srs(const Identities& identities, const Evidence& evidence) {
  if (evidence.sender.is_null() || identities.srs_domain().empty()) return false;
  return is_proven(standing_of(identities, evidence)) ||
         !identities.could_align(identities.srs_domain(), author_of(evidence));
}

}  // namespace relay::forward
