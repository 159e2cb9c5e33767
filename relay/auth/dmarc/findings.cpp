#include "relay/auth/dmarc/findings.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "relay/auth/dmarc/tree_walk.hpp"
#include "relay/mail/address.hpp"

namespace relay::auth::dmarc {

namespace {

void add(std::vector<std::string>& domains, std::string domain) {
  const bool known = std::ranges::find(domains, domain) != domains.end();
  if (!domain.empty() && !known) domains.push_back(std::move(domain));
}

std::string_view last_label(std::string_view domain) {
  return domain.substr(domain.rfind('.') + 1);
}

const std::expected<std::string, Unknown>* find(const Organisations& organisations,
                                                const std::string& domain) {
  const auto at = organisations.find(domain);
  return at == organisations.end() ? nullptr : &at->second;
}

}  // namespace

std::string as_identifier(std::string_view text) {
  const auto domain = mail::Domain::parse(text);
  return domain && !domain->is_literal() ? domain->folded() : std::string();
}

Identifiers identifiers_of(const mail::Authentication& authentication, bool null_sender) {
  Identifiers identifiers;
  const mail::SpfVerdict& spf = authentication.spf(null_sender);
  if (spf.result == mail::SpfResult::Pass) identifiers.spf = as_identifier(spf.domain);
  if (spf.result == mail::SpfResult::TempError) identifiers.later_spf = as_identifier(spf.domain);
  if (spf.unfinished) identifiers.unfinished_spf = as_identifier(spf.domain);
  for (const mail::DkimVerdict& signature : authentication.dkim) {
    if (signature.result == mail::DkimResult::Pass) {
      add(signature.vouches() ? identifiers.dkim : identifiers.reserved_dkim,
          as_identifier(signature.domain));
    } else if (signature.result == mail::DkimResult::TempError) {
      add(identifiers.later_dkim, as_identifier(signature.domain));
    }
  }
  return identifiers;
}

Alignment alignment(const std::string& author, const std::string& identifier, AlignmentMode mode,
                    const Organisations& organisations) {
  if (identifier.empty()) return Alignment::No;
  if (identifier == author) return Alignment::Yes;
  // Domains of one organisation share their last label, so nothing has to be looked up here.
  if (mode == AlignmentMode::Strict || last_label(identifier) != last_label(author)) {
    return Alignment::No;
  }
  const auto* authors = find(organisations, author);
  if (!authors || (!*authors && authors->error() == Unknown::TemporaryError)) {
    return Alignment::Unknown;
  }
  if (!*authors || !is_within(identifier, **authors)) return Alignment::No;
  const auto* other = find(organisations, identifier);
  if (!other) return Alignment::Unknown;
  if (*other) return **other == **authors ? Alignment::Yes : Alignment::No;
  return other->error() == Unknown::TemporaryError ? Alignment::Unknown : Alignment::No;
}

bool needs_organisation(const std::string& author, const std::string& identifier,
                        const Organisations& organisations) {
  const auto* authors = find(organisations, author);
  return !identifier.empty() && identifier != author && authors && *authors &&
         is_within(identifier, **authors);
}

}  // namespace relay::auth::dmarc
