#include "relay/auth/dkim/verifier.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "relay/auth/dkim/signature_check.hpp"
#include "relay/mail/author.hpp"
#include "relay/mail/header.hpp"

namespace relay::auth::dkim {

namespace {

using mail::DkimResult;
using mail::DkimVerdict;

bool is_below(std::string_view name, std::string_view parent) {
  return name.size() > parent.size() && name.ends_with(parent) &&
         name[name.size() - parent.size() - 1] == '.';
}

bool is_related(std::string_view domain, const std::vector<mail::Domain>& authors) {
  return std::ranges::any_of(authors, [&](const mail::Domain& one) {
    const std::string& author = one.folded();
    return domain == author || is_below(domain, author) || is_below(author, domain);
  });
}

/// Number of labels that both names end with.
std::size_t common_labels(std::string_view one, std::string_view other) {
  std::size_t labels = 0;
  while (!one.empty() && !other.empty()) {
    const std::size_t dot = one.rfind('.');
    const std::size_t other_dot = other.rfind('.');
    if (one.substr(dot + 1) != other.substr(other_dot + 1)) break;
    ++labels;
    one = dot == std::string_view::npos ? std::string_view() : one.substr(0, dot);
    other = other_dot == std::string_view::npos ? std::string_view() : other.substr(0, other_dot);
  }
  return labels;
}

void judge(DkimVerdict& verdict, DkimResult result, std::string_view problem) {
  verdict.result = result;
  verdict.problem = problem;
}

/// Why the signature is not valid at this time; "" if it is (§3.5, x= and t=).
std::string_view time_problem(const SignatureField& field, std::int64_t now) {
  if (field.expires_at && now > *field.expires_at + kClockSkewSeconds) return "signature expired";
  if (field.signed_at && *field.signed_at > now + kMaxSecondsAhead) {
    return "signature is dated in the future";
  }
  return {};
}

std::int64_t unix_seconds(base::WallTime now) {
  return std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
}

}  // namespace

Verification::Verification(const mail::Header& header, BodyHashes& hashes) {
  const auto signatures = header.find("DKIM-Signature");
  std::vector<Sound> sound = read(signatures);
  if (sound.size() > kMaxVerified) {
    // With several mailboxes in From, DMARC considers each domain: prefer signatures of all of
    // them.
    const auto authors = mail::author_domains(header);
    std::ranges::sort(sound, {}, [&](const Sound& one) {
      const bool related = authors && is_related(one.second.domain, *authors);
      return std::pair(!related, one.first);
    });
  }
  const SignableHeader signable(header.fields());
  for (std::size_t i = 0; i < sound.size(); ++i) {
    auto& [index, field] = sound[i];
    if (i >= kMaxVerified) {
      judge(entries_[index].verdict, DkimResult::Policy, "limit");
      continue;
    }
    const mail::HeaderField& itself = signatures[index];
    Candidate candidate;
    candidate.header_hash = signed_header_hash(signable, itself, field);
    candidate.body_hash = hashes.want(field.body_canon, field.length);
    candidate.lookup = lookup_for(field);
    candidate.field = std::move(field);
    entries_[index].candidate = std::move(candidate);
  }
}

std::vector<Verification::Sound> Verification::read(
    const std::vector<mail::HeaderField>& signatures) {
  std::vector<Sound> sound;
  for (const mail::HeaderField& signature : signatures) {
    auto field = parse_signature_field(signature.value);
    Entry& entry = entries_.emplace_back(describe_field(signature.value), std::nullopt);
    if (field) {
      sound.emplace_back(entries_.size() - 1, std::move(*field));
    } else {
      judge(entry.verdict, DkimResult::PermError, describe(field.error()));
    }
  }
  return sound;
}

std::size_t Verification::lookup_for(const SignatureField& field) {
  const auto known = std::ranges::find_if(lookups_, [&](const Lookup& lookup) {
    return lookup.selector == field.selector && lookup.domain == field.domain;
  });
  if (known != lookups_.end()) return static_cast<std::size_t>(known - lookups_.begin());
  lookups_.push_back({.selector = field.selector, .domain = field.domain});
  return lookups_.size() - 1;
}

std::vector<std::string> Verification::domains() const {
  std::vector<std::string> all;
  for (const Lookup& lookup : lookups_) {
    if (std::ranges::find(all, lookup.domain) == all.end()) all.push_back(lookup.domain);
  }
  return all;
}

/// An organisational domain has at least two labels, which all domains of the organisation share.
bool Verification::may_align(std::size_t number, const std::vector<mail::Domain>& authors) const {
  const std::string& domain = lookups_.at(number).domain;
  return authors.empty() || is_related(domain, authors) ||
         std::ranges::any_of(authors, [&](const mail::Domain& author) {
           return common_labels(domain, author.folded()) >= 2;
         });
}

base::Task<> Verification::fetch_key(std::size_t number, ports::Resolver& resolver,
                                     base::Deadline deadline) {
  Lookup& lookup = lookups_.at(number);
  lookup.answer = co_await dkim::fetch_key(resolver, lookup.selector, lookup.domain, deadline);
  lookup.has_ended = true;
}

void Verification::judge_candidate(const Candidate& candidate, const BodyHashes& hashes,
                                   std::int64_t now, DkimVerdict& verdict) const {
  const SignatureField& field = candidate.field;
  if (const auto problem = time_problem(field, now); !problem.empty()) {
    return judge(verdict, DkimResult::PermError, problem);
  }
  const auto& answer = lookups_[candidate.lookup].answer;
  if (!answer) {
    const bool temporary = answer.error().temporary;
    return judge(verdict, temporary ? DkimResult::TempError : DkimResult::PermError,
                 answer.error().text);
  }
  if (hashes.falls_short(candidate.body_hash)) {
    return judge(verdict, DkimResult::PermError, "l= is larger than the body");
  }
  if (hashes.digest(candidate.body_hash) != field.body_hash) {
    return judge(verdict, DkimResult::Fail, "body hash did not verify");
  }
  const SignatureCheck check =
      check_signature(answer->records, {.key_type = field.key_type,
                                        .header_hash = candidate.header_hash,
                                        .signature = field.signature,
                                        .below_domain = field.identity_domain != field.domain});
  verdict.key_bits = check.key_bits;
  verdict.testing = check.testing;
  verdict.dated_ahead = field.signed_at && *field.signed_at > now + kClockSkewSeconds;
  judge(verdict, check.result, check.problem);
  if (check.result == DkimResult::Pass && !hashes.covers_all(candidate.body_hash)) {
    judge(verdict, DkimResult::Policy, "l= leaves a part of the body unsigned");
  }
}

std::vector<DkimVerdict> Verification::finish(const BodyHashes& hashes, base::WallTime now) {
  std::vector<DkimVerdict> verdicts;
  verdicts.reserve(entries_.size());
  for (Entry& entry : entries_) {
    if (entry.candidate) {
      judge_candidate(*entry.candidate, hashes, unix_seconds(now), entry.verdict);
      if (lookups_[entry.candidate->lookup].has_ended) entry.candidate.reset();
    }
    verdicts.push_back(entry.verdict);
  }
  return verdicts;
}

}  // namespace relay::auth::dkim
