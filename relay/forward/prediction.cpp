#include "relay/forward/prediction.hpp"

#include <algorithm>
#include <array>

namespace relay::forward {

namespace {

using mail::ArcResult;
using mail::DkimResult;
using mail::DmarcPolicy;
using mail::DmarcResult;
using mail::SpfResult;

/// The DKIM result that counts among several signatures: pass if one passed, else that of the
/// topmost.
DkimResult best_of(const std::vector<mail::DkimVerdict>& signatures) {
  if (signatures.empty()) return DkimResult::None;
  const bool passed = std::ranges::any_of(
      signatures, [](const mail::DkimVerdict& one) { return one.result == DkimResult::Pass; });
  return passed ? DkimResult::Pass : signatures.front().result;
}

void predict_spf(const Identities& identities, const Evidence& evidence, Option option,
                 Prediction& into) {
  if (evidence.sender.is_null()) {
    // SPF is checked for HELO (RFC 7208 §2.4); we do not look up its record.
    into.spf_domain = identities.helo();
  } else if (keeps_sender(option)) {
    into.spf_domain = evidence.sender.mailbox().domain().folded();
    into.spf = evidence.egress_spf;
    if (into.spf == SpfResult::TempError) into.spf.reset();
  } else {
    into.spf_domain = is_doubtful(identities, evidence) ? identities.doubtful_srs_domain()
                                                        : identities.srs_domain();
    if (!into.spf_domain.empty()) into.spf = SpfResult::Pass;
  }
}

ArcResult predict_arc(const Evidence& evidence, Option option) {
  const ArcResult arrived = evidence.verdicts.arc.result;
  if (option == Option::NewAuthor) {
    // The newest ARC-Message-Signature covers From, which changes.
    return arrived == ArcResult::None ? ArcResult::None : ArcResult::Fail;
  }
  if (!is_sealed(option) || arrived == ArcResult::Fail) return arrived;
  return ArcResult::Pass;
}

/// Whether SPF of this copy would be aligned if it passed. If the sender is kept and SPF passed on
/// arrival, the alignment found then still holds.
bool spf_would_align(const Identities& identities, const Evidence& evidence, Option option,
                     const std::string& spf_domain, const std::string& author) {
  const mail::SpfVerdict& arrived = evidence.verdicts.spf(evidence.sender.is_null());
  if (keeps_sender(option) && !evidence.sender.is_null() && arrived.result == SpfResult::Pass &&
      evidence.verdicts.dmarc.result != DmarcResult::None) {
    return evidence.verdicts.dmarc.spf_aligned;
  }
  const bool strict = evidence.verdicts.dmarc.spf_strict && option != Option::NewAuthor;
  return strict ? spf_domain == author : identities.same_organisation(spf_domain, author);
}

void predict_dmarc(const Identities& identities, const Evidence& evidence, Option option,
                   Prediction& into) {
  const mail::DmarcVerdict& arrived = evidence.verdicts.dmarc;
  const bool rewritten = option == Option::NewAuthor;
  const std::string& author = rewritten ? identities.rewrite_domain() : arrived.from_domain;
  into.policy = rewritten ? DmarcPolicy::None : arrived.policy;
  into.spf_aligned = into.spf == SpfResult::Pass &&
                     spf_would_align(identities, evidence, option, into.spf_domain, author);
  const bool original_aligned =
      !rewritten && (arrived.dkim_aligned || arrived.reserved_aligned ||
                     std::ranges::any_of(evidence.verdicts.dkim, [&](const auto& one) {
                       return arrived.result == DmarcResult::None &&
                              one.result == DkimResult::Pass &&
                              identities.same_organisation(one.domain, author);
                     }));
  into.dkim_aligned = original_aligned || identities.same_organisation(into.signed_by, author);
  const bool record_stays =
      rewritten || arrived.result == DmarcResult::Pass || arrived.result == DmarcResult::Fail;
  const bool vouched = arrived.spf_aligned || arrived.dkim_aligned;
  if (!record_stays && !(vouched && (into.spf_aligned || into.dkim_aligned))) {
    into.dmarc = arrived.result;
  } else {
    into.dmarc = into.spf_aligned || into.dkim_aligned ? DmarcResult::Pass : DmarcResult::Fail;
  }
}

Outlook outlook_of(const Prediction& found) {
  switch (found.dmarc) {
    case DmarcResult::Pass:
      return Outlook::Good;
    case DmarcResult::None: {
      // Large receivers want SPF or DKIM of any domain, aligned or not.
      const bool something = found.spf == SpfResult::Pass || found.dkim == DkimResult::Pass ||
                             !found.signed_by.empty();
      return something ? Outlook::Good : Outlook::LikelyJunk;
    }
    case DmarcResult::PermError:
      return Outlook::LikelyRejected;
    case DmarcResult::Fail:
    case DmarcResult::TempError:
      break;
  }
  return found.policy == DmarcPolicy::Reject ? Outlook::LikelyRejected : Outlook::LikelyJunk;
}

}  // namespace

std::string signature_for(const Identities& identities, const Evidence& evidence, Option option) {
  if (option == Option::Refuse) return {};
  if (is_doubtful(identities, evidence)) return {};
  return option == Option::NewAuthor ? identities.rewrite_signer() : evidence.signing_domain;
}

Prediction predict(const Identities& identities, const Evidence& evidence, Option option) {
  Prediction found;
  if (option == Option::Refuse) return found;
  found.signed_by = signature_for(identities, evidence, option);
  found.dkim = best_of(evidence.verdicts.dkim);
  if (option == Option::NewAuthor && found.dkim == DkimResult::Pass) found.dkim = DkimResult::Fail;
  predict_spf(identities, evidence, option, found);
  predict_dmarc(identities, evidence, option, found);
  found.arc = predict_arc(evidence, option);
  found.outlook = outlook_of(found);
  return found;
}

std::string_view name_of(Option option) {
  static constexpr std::array<std::string_view, 6> kNames = {"keep",    "keep+arc",   "srs",
                                                             "srs+arc", "new author", "refuse"};
  return kNames.at(static_cast<std::size_t>(option));
}

std::string_view name_of(Outlook outlook) {
  static constexpr std::array<std::string_view, 3> kNames = {"good", "likely junk",
                                                             "likely rejected"};
  return kNames.at(static_cast<std::size_t>(outlook));
}

}  // namespace relay::forward
