#include "relay/forward/evidence.hpp"

#include <algorithm>

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

/// SPF passed for the sender's own domain. The lookups were for MAIL FROM: where that was an SRS
/// address of ours, they tell who may send in our name, and nothing about the sender behind it.
bool is_sent_by_its_domain(const Evidence& evidence) {
  const mail::SpfVerdict& spf = spf_of(evidence);
  return spf.result == SpfResult::Pass &&
         (evidence.sender.is_null() || spf.domain == evidence.sender.mailbox().domain().folded());
}

/// An aligned signature passed that vouches for the author, or, with `reserved`, does not.
bool is_signed(const Identities& identities, const Evidence& evidence, bool reserved) {
  return std::ranges::any_of(evidence.verdicts.dkim, [&](const mail::DkimVerdict& one) {
    return one.result == DkimResult::Pass && one.vouches() != reserved &&
           identities.same_organisation(one.domain, author_of(evidence));
  });
}

/// How far the author is proven when its domain publishes no DMARC record.
Standing standing_without_record(const Identities& identities, const Evidence& evidence) {
  if (is_signed(identities, evidence, false)) return Standing::Signed;
  const mail::SpfVerdict& spf = spf_of(evidence);
  const bool is_sent = spf.result == SpfResult::Pass &&
                       identities.same_organisation(spf.domain, author_of(evidence));
  if (is_sent) return Standing::SpfOnly;
  return is_signed(identities, evidence, true) ? Standing::Reserved : Standing::Unproven;
}

/// False only if it is certain that no receiver takes `ours` as aligned with an author.
bool could_speak_for(const Identities& identities, const std::string& ours,
                     const Evidence& evidence) {
  const mail::DmarcVerdict& dmarc = evidence.verdicts.dmarc;
  // Notices of mail systems, with the null sender, may name nobody in From. A message with a sender
  // of its own that does the same is treated as if anybody could be its author.
  if (dmarc.names_nobody && evidence.sender.is_null()) return false;
  if (dmarc.several_from.empty()) return identities.could_align(ours, dmarc.from_domain);
  return std::ranges::any_of(dmarc.several_from, [&](const std::string& author) {
    return identities.could_align(ours, author);
  });
}

}  // namespace

std::vector<std::string> authors_of(const Evidence& evidence) {
  const mail::DmarcVerdict& dmarc = evidence.verdicts.dmarc;
  if (dmarc.from_domain.empty()) return dmarc.several_from;
  return {dmarc.from_domain};
}

bool could_speak_for(const Identities& identities, const std::string& ours,
                     const NamedAuthors& authors) {
  if (authors) {
    return std::ranges::any_of(*authors, [&](const mail::Domain& author) {
      return identities.could_align(ours, author.folded());
    });
  }
  const mail::AuthorProblem problem = authors.error();
  const bool names_nobody = problem == mail::AuthorProblem::Nobody ||
                            problem == mail::AuthorProblem::NoField ||
                            problem == mail::AuthorProblem::NoDomain;
  return !names_nobody && identities.is_near_hosted(ours);
}

Standing standing_of(const Identities& identities, const Evidence& evidence) {
  const mail::DmarcVerdict& dmarc = evidence.verdicts.dmarc;
  const bool is_open =
      dmarc.result == DmarcResult::TempError || dmarc.result == DmarcResult::PermError;
  if (dmarc.result == DmarcResult::Pass || is_open) {
    if (dmarc.dkim_aligned) return Standing::Signed;
    if (dmarc.spf_aligned) return Standing::SpfOnly;
  }
  if (dmarc.result == DmarcResult::TempError) return Standing::Unknown;
  if (dmarc.from_domain.empty()) {
    // Several authors, each proven, but not all in the same way: the weaker one counts.
    if (dmarc.result == DmarcResult::Pass) return Standing::SpfOnly;
    return dmarc.several_from.empty() ? Standing::Unclear : Standing::Unproven;
  }
  if (dmarc.result == DmarcResult::None) return standing_without_record(identities, evidence);
  return dmarc.reserved_aligned ? Standing::Reserved : Standing::Unproven;
}

bool is_doubtful(const Identities& identities, const Evidence& evidence) {
  return evidence.unwelcome || !is_proven(standing_of(identities, evidence));
}

bool is_sender_proven(const Identities& identities, const Evidence& evidence) {
  if (is_sent_by_its_domain(evidence)) return true;
  return !evidence.sender.is_null() && is_proven(standing_of(identities, evidence)) &&
         identities.same_organisation(evidence.sender.mailbox().domain().folded(),
                                      author_of(evidence));
}

bool may_be_authorised(const Identities& identities, const Evidence& evidence) {
  if (evidence.sender.is_null()) return true;  // SPF is checked for HELO, which is ours
  if (identities.is_ours(evidence.sender.mailbox().domain().folded())) return true;
  return !evidence.egress_spf || *evidence.egress_spf == SpfResult::Pass ||
         *evidence.egress_spf == SpfResult::TempError;
}

bool may_keep_sender(const Identities& identities, const Evidence& evidence) {
  if (!may_be_authorised(identities, evidence)) return true;
  const bool proven = is_proven(standing_of(identities, evidence));
  if (evidence.sender.is_null()) {
    return proven || !could_speak_for(identities, identities.helo(), evidence);
  }
  const std::string& domain = evidence.sender.mailbox().domain().folded();
  if (!proven && could_speak_for(identities, domain, evidence)) return false;
  const bool surely = identities.is_ours(domain) || evidence.egress_spf == SpfResult::Pass;
  return !surely || is_sender_proven(identities, evidence);
}

bool may_use_srs(const Identities& identities, const Evidence& evidence) {
  if (evidence.sender.is_null() || identities.srs_domain().empty()) return false;
  return is_proven(standing_of(identities, evidence)) ||
         !could_speak_for(identities, identities.doubtful_srs_domain(), evidence);
}

bool may_go_back(const Identities& identities, const Evidence& evidence) {
  if (is_proven(standing_of(identities, evidence))) return true;
  if (!authors_of(evidence).empty()) {
    return !could_speak_for(identities, identities.helo(), evidence);
  }
  // A From that receivers may read in different ways must not speak for a domain we forward for.
  return evidence.verdicts.dmarc.names_nobody || !identities.is_helo_near_hosted();
}

}  // namespace relay::forward
