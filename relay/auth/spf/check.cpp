#include "relay/auth/spf/check.hpp"

#include <utility>

#include "relay/auth/spf/evaluator.hpp"
#include "relay/auth/spf/record.hpp"
#include "relay/base/network.hpp"
#include "relay/base/text.hpp"

namespace relay::auth::spf {

namespace {

constexpr std::size_t kMaxLabelOctets = 63;
constexpr std::size_t kMaxMechanismOctets = 255;

/// Puts the identity to check into mail_from; the HELO identity has postmaster as its local part
/// (RFC 7208 §2.3, §4.3).
Query normalised(Query query) {
  if (!query.mail_from) query.identity = mail::SpfIdentity::Helo;
  if (query.identity == mail::SpfIdentity::Helo) query.mail_from = Sender{.domain = query.helo};
  Sender& sender = *query.mail_from;
  if (sender.local_part.empty()) sender.local_part = "postmaster";
  if (sender.domain.ends_with('.')) sender.domain.pop_back();
  query.client = base::plain_address(query.client);
  return query;
}

}  // namespace

bool may_have_record(std::string_view domain) {
  if (domain.size() > kMaxNameOctets || domain.starts_with('[')) return false;
  std::size_t labels = 0;
  for (;; ++labels) {
    const auto label = domain.substr(0, domain.find('.'));
    if (label.empty() || label.size() > kMaxLabelOctets) return false;
    if (label.size() == domain.size()) return labels > 0;
    domain.remove_prefix(label.size() + 1);
  }
}

base::Task<Evaluation> check(ports::Resolver& resolver, ports::Clock& clock, Query query) {
  const Query asked = normalised(std::move(query));
  Lookups lookups(resolver, clock, asked.client, asked.deadline, asked.max_queries);
  Evaluator evaluator(asked, clock.wall(), lookups);
  Finding finding = co_await evaluator.check_host(asked.mail_from->domain);

  Evaluation evaluation;
  evaluation.terms = lookups.terms();
  evaluation.voids = lookups.voids();
  if (asked.explain) evaluation.explanation = co_await evaluator.explanation_of(finding);
  evaluation.queries = lookups.queries();
  evaluation.verdict = {.result = finding.result,
                        .identity = asked.identity,
                        .domain = visible(base::lower(asked.mail_from->domain)),
                        .mechanism = finding.directive.substr(0, kMaxMechanismOctets),
                        .problem = std::move(finding.problem),
                        .unfinished = finding.unfinished};
  co_return evaluation;
}

}  // namespace relay::auth::spf
