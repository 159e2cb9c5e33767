#include "relay/auth/dmarc/discovery.hpp"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "relay/auth/dmarc/tree_walk.hpp"

namespace relay::auth::dmarc {

namespace {

using mail::DmarcPolicy;

using Answer = std::expected<std::optional<Record>, Unknown>;
using Steps = std::expected<std::vector<WalkStep>, Unknown>;

/// The lookups of one message and their answers.
class Discovery {
 public:
  Discovery(ports::Resolver& resolver, const OrganisationalDomain* suffixes,
            base::Deadline deadline)
      : resolver_(resolver), suffixes_(suffixes), deadline_(deadline) {}

  base::Task<std::expected<std::optional<Policy>, Unknown>> policy_of(std::string author) {
    const Answer own = co_await record_at(author);
    if (!own) co_return std::unexpected(own.error());
    if (*own) co_return Policy{**own, author};

    const Steps steps = co_await steps_from(author);
    if (!steps) co_return std::unexpected(steps.error());
    const WalkStep* step = applicable_step(*steps);
    if (!step) co_return std::nullopt;
    Policy policy{*step->record, step->domain};
    const DmarcPolicy existing = policy.record.subdomain_policy.value_or(policy.record.policy);
    const DmarcPolicy missing = policy.record.non_existent_policy.value_or(existing);
    if (missing != existing) {
      // Our own limit is no reason to put a message off: at the limit the stricter policy applies.
      const Existence at_limit = missing > existing ? Existence::Missing : Existence::Exists;
      policy.author = co_await existence_of(author, at_limit);
    }
    co_return policy;
  }

  base::Task<std::expected<std::string, Unknown>> organisation_of(std::string domain) {
    if (suffixes_) co_return suffixes_->of(domain);
    const Steps steps = co_await steps_from(domain);
    if (!steps) co_return std::unexpected(steps.error());
    co_return organisational_domain(*steps);
  }

 private:
  base::Task<Answer> record_at(std::string domain) {
    const auto known = answers_.find(domain);
    if (known != answers_.end()) co_return known->second;
    if (!spend()) co_return std::unexpected(Unknown::TooManyQueries);
    const auto texts = co_await resolver_.txt("_dmarc." + domain, deadline_);
    Answer answer = std::nullopt;
    if (texts) {
      answer = select_record(texts->records);
    } else if (ports::is_temporary(texts.error())) {
      answer = std::unexpected(Unknown::TemporaryError);
    }
    // Under the older rule pct=0 asks for the next weaker policy (RFC 7489 §6.3), as t=y does now.
    if (suffixes_ && answer && *answer && (*answer)->is_for_none) (*answer)->testing = true;
    answers_.emplace(domain, answer);
    co_return answer;
  }

  /// The steps from `domain` up to its organisational domain.
  base::Task<Steps> steps_from(std::string domain) {
    std::vector<WalkStep> steps;
    for (const std::string& name : names_from(domain)) {
      const Answer answer = co_await record_at(name);
      if (!answer) co_return std::unexpected(answer.error());
      steps.push_back({name, *answer});
      if (!suffixes_ && ends_walk(steps.back())) break;
    }
    co_return steps;
  }

  std::vector<std::string> names_from(const std::string& domain) const {
    if (!suffixes_) return walk_names(domain);
    std::vector<std::string> names{domain};
    const std::string organisation = suffixes_->of(domain);
    if (organisation != domain) names.push_back(organisation);
    return names;
  }

  /// A domain is missing only if it is NXDOMAIN; a name without records exists (RFC 9989 §3.2.13,
  /// A.4). Some servers return NXDOMAIN for record types they lack, so two lookups must agree.
  base::Task<Existence> existence_of(std::string domain, Existence at_limit) {
    if (!spend()) co_return at_limit;
    const auto addresses = co_await resolver_.addresses(domain, deadline_);
    if (addresses) co_return Existence::Exists;
    if (ports::is_temporary(addresses.error())) co_return Existence::Unknown;
    if (addresses.error() != ports::DnsError::NoSuchName) co_return Existence::Exists;
    if (!spend()) co_return at_limit;
    const auto hosts = co_await resolver_.mx(domain, deadline_);
    if (hosts) co_return Existence::Exists;
    if (ports::is_temporary(hosts.error())) co_return Existence::Unknown;
    co_return hosts.error() == ports::DnsError::NoSuchName ? Existence::Missing : Existence::Exists;
  }

  bool spend() {
    if (queries_ == kMaxQueries) return false;
    ++queries_;
    return true;
  }

  ports::Resolver& resolver_;
  const OrganisationalDomain* suffixes_;
  base::Deadline deadline_;
  std::size_t queries_ = 0;
  std::map<std::string, Answer> answers_;
};

/// Finds the organisational domains that alignment of `identifiers` needs, for every one of them.
/// It does not stop at the first that is aligned: its signature may fail, or its key be in testing.
base::Task<> align(Discovery& discovery, std::string author, std::vector<std::string> identifiers,
                   Organisations& organisations) {
  for (const std::string& identifier : identifiers) {
    const Alignment known = alignment(author, identifier, AlignmentMode::Relaxed, organisations);
    if (known != Alignment::Unknown) continue;
    if (!organisations.contains(author)) {
      auto found = co_await discovery.organisation_of(author);
      organisations.emplace(author, std::move(found));
    }
    if (needs_organisation(author, identifier, organisations) &&
        !organisations.contains(identifier)) {
      auto found = co_await discovery.organisation_of(identifier);
      organisations.emplace(identifier, std::move(found));
    }
  }
}

bool is_relaxed(const AuthorFinding& author, AlignmentMode Record::* mode) {
  return author.policy && *author.policy && (*author.policy)->record.applies &&
         (*author.policy)->record.*mode == AlignmentMode::Relaxed;
}

}  // namespace

base::Task<Findings> discover(ports::Resolver& resolver, Question question,
                              base::Deadline deadline) {
  Discovery discovery(resolver, question.suffixes, deadline);
  Findings findings;
  // A deep domain costs more lookups: those of the shallow ones cannot be used up by it.
  std::ranges::sort(question.identifiers.dkim, {}, [](const std::string& domain) {
    return std::pair(std::ranges::count(domain, '.'), std::string_view(domain));
  });
  // Policies first, so that lookups for foreign signatures cannot use up those for the policies.
  for (const std::string& author : question.author_domains) {
    auto policy = co_await discovery.policy_of(author);
    findings.authors.push_back({author, std::move(policy)});
  }
  for (const AuthorFinding& author : findings.authors) {
    if (is_relaxed(author, &Record::spf_mode)) {
      const std::vector<std::string> spf{question.identifiers.spf};
      co_await align(discovery, author.domain, spf, findings.organisations);
    }
    if (is_relaxed(author, &Record::dkim_mode)) {
      co_await align(discovery, author.domain, question.identifiers.dkim, findings.organisations);
    }
  }
  co_return findings;
}

}  // namespace relay::auth::dmarc
