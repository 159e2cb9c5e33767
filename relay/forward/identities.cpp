#include "relay/forward/identities.hpp"

#include <utility>

#include "relay/forward/policy.hpp"

namespace relay::forward {

namespace {

bool is_below(const std::string& name, const std::string& parent) {
  return name.ends_with('.' + parent);
}

std::string last_two_labels(const std::string& name) {
  const std::size_t last = name.rfind('.');
  if (last == std::string::npos || last == 0) return name;
  const std::size_t before = name.rfind('.', last - 1);
  return before == std::string::npos ? name : name.substr(before + 1);
}

}  // namespace

std::expected<Identities, std::string> Identities::make(const Policy& policy,
                                                        OrganisationOf organisation_of) {
  Identities made;
  made.organisation_of_ = std::move(organisation_of);
  made.helo_ = policy.hostname;
  for (const mail::Domain& domain : policy.srs_domains()) {
    if (made.srs_domain_.empty()) made.srs_domain_ = domain.folded();
    made.doubtful_srs_domain_ = domain.folded();
  }
  if (policy.rewrite_domain) made.rewrite_domain_ = policy.rewrite_domain->folded();
  made.can_seal_ = policy.arc.sealer.has_value();
  for (const HostedDomain& domain : policy.domains) {
    (domain.is_wildcard ? made.parents_ : made.ours_).insert(domain.name.folded());
    const std::string& hosted = domain.name.folded();
    if (made.could_align(made.helo_, hosted)) made.is_helo_near_hosted_ = true;
    if (made.could_align(made.srs_domain_, hosted)) made.is_srs_near_hosted_ = true;
    if (!made.rewrite_domain_.empty() &&
        made.could_align(made.rewrite_domain_, domain.name.folded())) {
      return std::unexpected("[rewrite] domain " + made.rewrite_domain_ +
                             " belongs to the organisation of " + domain.text() +
                             ", which is forwarded: rewritten mail would speak in its name");
    }
  }
  for (const DkimDomain& dkim : policy.dkim) {
    if (made.rewrite_signer_.empty() &&
        made.same_organisation(dkim.domain.folded(), made.rewrite_domain_)) {
      made.rewrite_signer_ = dkim.domain.folded();
    }
  }
  if (!made.rewrite_domain_.empty() && made.rewrite_signer_.empty() &&
      !made.same_organisation(made.srs_domain_, made.rewrite_domain_)) {
    return std::unexpected("[rewrite] domain " + made.rewrite_domain_ +
                           " needs a [[dkim]] key of its own, or an [srs] domain aligned with it: "
                           "rewritten mail would fail DMARC");
  }
  for (const std::string& name :
       {made.helo_, made.srs_domain_, made.doubtful_srs_domain_, made.rewrite_domain_}) {
    if (!name.empty()) made.ours_.insert(name);
  }
  return made;
}

bool Identities::is_near_hosted(const std::string& ours) const {
  if (ours == helo_) return is_helo_near_hosted_;
  if (ours == srs_domain_) return is_srs_near_hosted_;
  return is_ours(ours);
}

bool Identities::is_ours(const std::string& domain) const {
  if (ours_.contains(domain)) return true;
  for (std::size_t dot = domain.find('.'); dot != std::string::npos;
       dot = domain.find('.', dot + 1)) {
    const std::string parent = domain.substr(dot + 1);
    if (ours_.contains(parent) || parents_.contains(parent)) return true;
  }
  return false;
}

bool Identities::same_by(Suffixes suffixes, const std::string& a, const std::string& b) const {
  return organisation_of_ && organisation_of_(a, suffixes) == organisation_of_(b, suffixes);
}

bool Identities::same_organisation(const std::string& a, const std::string& b) const {
  if (a.empty() || b.empty()) return false;
  return a == b || same_by(Suffixes::All, a, b);
}

bool Identities::could_align(const std::string& ours, const std::string& author) const {
  if (ours.empty()) return false;
  if (author.empty() || same_organisation(ours, author)) return true;
  // Receivers may use another public suffix list, or a tree walk, which goes by the DMARC record of
  // a domain above both names unless a registry owns that domain. So two names below one domain of
  // a registry's customer could be aligned, and so could a name and one below it.
  if (same_by(Suffixes::Registries, ours, author)) return true;
  if (is_below(ours, author) || is_below(author, ours)) return true;
  return !organisation_of_ && last_two_labels(ours) == last_two_labels(author);
}

}  // namespace relay::forward
