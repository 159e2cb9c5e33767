#include "relay/auth/dmarc/evaluation.hpp"

#include <algorithm>
#include <utility>

namespace relay::auth::dmarc {

namespace {

using mail::DmarcPolicy;
using mail::DmarcResult;
using mail::DmarcVerdict;

/// The policy weakened by one step, as t=y asks (RFC 9989 §4.7).
DmarcPolicy weaker(DmarcPolicy policy) {
  return policy == DmarcPolicy::Reject ? DmarcPolicy::Quarantine : DmarcPolicy::None;
}

/// p= for the domain of the record itself, np= or sp= for domains below it (RFC 9989 §4.10.1).
DmarcPolicy requested(const Policy& policy, const std::string& author) {
  const Record& record = policy.record;
  DmarcPolicy asked = record.policy;
  if (policy.domain != author) {
    asked = record.subdomain_policy.value_or(asked);
    if (policy.author == Existence::Missing) asked = record.non_existent_policy.value_or(asked);
  }
  return record.testing ? weaker(asked) : asked;
}

/// Yes if any identifier is aligned, else Unknown if any may be, else No.
Alignment best_alignment(const std::string& author, const std::vector<std::string>& identifiers,
                         AlignmentMode mode, const Organisations& organisations) {
  Alignment best = Alignment::No;
  for (const std::string& identifier : identifiers) {
    const Alignment one = alignment(author, identifier, mode, organisations);
    if (one == Alignment::Yes) return one;
    if (one == Alignment::Unknown) best = one;
  }
  return best;
}

bool may_pass_later(const std::string& author, const Record& record, const Identifiers& identifiers,
                    const Organisations& organisations) {
  const auto may = [&](const std::vector<std::string>& later, AlignmentMode mode) {
    return best_alignment(author, later, mode, organisations) != Alignment::No;
  };
  return may({identifiers.later_spf}, record.spf_mode) ||
         may(identifiers.later_dkim, record.dkim_mode);
}

/// The policy is unknown, but the author's domain is aligned with itself under every record.
DmarcVerdict unknown_policy(const AuthorFinding& author, const Identifiers& identifiers) {
  DmarcVerdict verdict{.from_domain = author.domain};
  verdict.spf_aligned = identifiers.spf == author.domain;
  verdict.dkim_aligned =
      std::ranges::find(identifiers.dkim, author.domain) != identifiers.dkim.end();
  if (author.policy.error() == Unknown::TemporaryError) {
    verdict.result = DmarcResult::TempError;
    verdict.problem = "the policy could not be looked up";
  } else {
    verdict.result = DmarcResult::PermError;
    verdict.policy = DmarcPolicy::Reject;
    verdict.problem = "too many lookups";
  }
  return verdict;
}

std::string why_not_aligned(const DmarcVerdict& verdict, const Identifiers& identifiers) {
  if (verdict.unfinished)
    return "SPF of the author's domain asks for more lookups than anybody gets";
  if (verdict.reserved_aligned) {
    return "the aligned signature has a key in testing, or is dated ahead";
  }
  const bool any = !identifiers.spf.empty() || !identifiers.dkim.empty();
  return any ? "nothing that passed is aligned" : "nothing passed";
}

DmarcVerdict verdict_of(const AuthorFinding& author, const Identifiers& identifiers,
                        const Organisations& organisations) {
  if (!author.policy) return unknown_policy(author, identifiers);
  DmarcVerdict verdict{.from_domain = author.domain};
  if (!*author.policy || !(*author.policy)->record.applies) {
    verdict.unfinished = identifiers.unfinished_spf == author.domain;
    if (verdict.unfinished) verdict.problem = why_not_aligned(verdict, identifiers);
    return verdict;
  }

  const Policy& policy = **author.policy;
  verdict.policy_domain = policy.domain;
  verdict.policy = requested(policy, author.domain);
  verdict.testing = policy.record.testing;
  verdict.spf_strict = policy.record.spf_mode == AlignmentMode::Strict;
  const Alignment spf =
      best_alignment(author.domain, {identifiers.spf}, policy.record.spf_mode, organisations);
  const Alignment dkim =
      best_alignment(author.domain, identifiers.dkim, policy.record.dkim_mode, organisations);
  const Alignment reserved = best_alignment(author.domain, identifiers.reserved_dkim,
                                            policy.record.dkim_mode, organisations);
  verdict.spf_aligned = spf == Alignment::Yes;
  verdict.dkim_aligned = dkim == Alignment::Yes;
  verdict.reserved_aligned = reserved == Alignment::Yes;
  if (verdict.spf_aligned || verdict.dkim_aligned) {
    verdict.result = DmarcResult::Pass;
  } else if (spf == Alignment::Unknown || dkim == Alignment::Unknown) {
    verdict.result = DmarcResult::TempError;
    verdict.problem = "an organisational domain could not be looked up";
  } else if (policy.author == Existence::Unknown) {
    verdict.result = DmarcResult::TempError;
    verdict.problem = "whether the domain exists could not be looked up";
  } else if (verdict.policy != DmarcPolicy::None &&
             (reserved == Alignment::Unknown ||
              may_pass_later(author.domain, policy.record, identifiers, organisations))) {
    // Do not apply the policy to a message that fails only because of DNS trouble (RFC 7489
    // §6.6.2); without a policy to apply, a delay would be pointless. A signature with reservation
    // cannot make DMARC pass, but it decides whether the policy is applied.
    verdict.result = DmarcResult::TempError;
    verdict.problem = "what may pass could not be looked up";
  } else {
    verdict.result = DmarcResult::Fail;
    verdict.unfinished = alignment(author.domain, identifiers.unfinished_spf,
                                   policy.record.spf_mode, organisations) != Alignment::No;
    verdict.problem = why_not_aligned(verdict, identifiers);
  }
  return verdict;
}

/// Order of verdicts when there are several authors: the worst one must not be hidden. A temporary
/// error can still become a rejection, so only certain rejections are worse.
int severity(const DmarcVerdict& verdict) {
  switch (verdict.result) {
    case DmarcResult::Pass:
      return 0;
    case DmarcResult::None:
      return 1;
    case DmarcResult::TempError:
      return 4;
    case DmarcResult::PermError:
      return 6;
    case DmarcResult::Fail:
      break;
  }
  // An unfinished verdict applies no policy, so it counts less than one that does.
  if (verdict.unfinished) return 2;
  if (verdict.policy == DmarcPolicy::Reject) return 5;
  return verdict.policy == DmarcPolicy::Quarantine ? 3 : 2;
}

}  // namespace

mail::DmarcVerdict evaluate(const Findings& findings, const Identifiers& identifiers) {
  if (findings.authors.empty()) return verdict_on(mail::AuthorProblem::NoDomain);
  std::vector<DmarcVerdict> verdicts;
  for (const AuthorFinding& author : findings.authors) {
    verdicts.push_back(verdict_of(author, identifiers, findings.organisations));
  }
  DmarcVerdict worst = *std::ranges::max_element(verdicts, {}, severity);
  if (verdicts.size() > 1) {
    worst.from_domain.clear();
    for (const AuthorFinding& author : findings.authors) {
      worst.several_from.push_back(author.domain);
    }
    worst.spf_aligned = std::ranges::all_of(verdicts, &DmarcVerdict::spf_aligned);
    worst.dkim_aligned = std::ranges::all_of(verdicts, &DmarcVerdict::dkim_aligned);
    worst.reserved_aligned = false;
  }
  return worst;
}

mail::DmarcVerdict verdict_on(mail::AuthorProblem problem) {
  return {.result = DmarcResult::PermError,
          .policy = DmarcPolicy::Reject,
          .problem = std::string(mail::describe(problem)),
          .several_from = {},
          .names_nobody = problem == mail::AuthorProblem::Nobody};
}

}  // namespace relay::auth::dmarc
