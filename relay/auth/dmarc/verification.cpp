#include "relay/auth/dmarc/verification.hpp"

#include <utility>

#include "relay/auth/dmarc/evaluation.hpp"
#include "relay/mail/author.hpp"

namespace relay::auth::dmarc {

base::Task<mail::DmarcVerdict> verify(ports::Resolver& resolver, Subject subject,
                                      base::Deadline deadline) {
  const auto authors = mail::author_domains(subject.header_block);
  if (!authors) co_return verdict_on(authors.error());

  const Identifiers identifiers = identifiers_of(subject.authentication, subject.null_sender);
  Question question{.identifiers = identifiers, .suffixes = subject.suffixes};
  for (const mail::Domain& author : *authors) question.author_domains.push_back(author.folded());
  const Findings findings = co_await discover(resolver, std::move(question), deadline);
  co_return evaluate(findings, identifiers);
}

}  // namespace relay::auth::dmarc
