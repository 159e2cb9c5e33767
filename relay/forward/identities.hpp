// The names that a copy of ours can bear: HELO, SRS domain, signing domains, the domain that stands
// in rewritten From fields. And whether such a name could vouch for an author: mail that is not
// proven must never leave under one that could.
#pragma once

#include <expected>
#include <functional>
#include <string>
#include <unordered_set>

#include "relay/settings/settings.hpp"

namespace relay::forward {

/// The organisational domain of a folded name (RFC 9989 §4.10, or the public suffix list). Comes
/// from the composition root: this room knows no list.
using OrganisationOf = std::function<std::string(const std::string&)>;

class Identities {
 public:
  Identities() = default;

  /// Without `organisation_of`, a name is an organisation of its own where that gives less trust,
  /// and names with the same last two labels are one where that gives less freedom. The error
  /// names a domain of the configuration that must not be what it is.
  static std::expected<Identities, std::string> make(const settings::Settings& settings,
                                                     OrganisationOf organisation_of);

  /// A domain that we forward for or speak as, or a name below one.
  bool is_ours(const std::string& domain) const;

  /// Relaxed alignment (RFC 9989 §4.4): false for empty names.
  bool same_organisation(const std::string& a, const std::string& b) const;

  /// True unless it is certain that no receiver takes `ours` as aligned with `author`. An author
  /// that is not known ("") may be anybody.
  bool could_align(const std::string& ours, const std::string& author) const;

  const std::string& helo() const { return helo_; }

  const std::string& srs_domain() const { return srs_domain_; }  ///< "": no SRS

  /// That of mail whose author is not proven.
  const std::string& doubtful_srs_domain() const { return doubtful_srs_domain_; }

  const std::string& rewrite_domain() const { return rewrite_domain_; }  ///< "": never rewritten

  /// The [[dkim]] domain that is aligned with rewrite_domain(); "": none.
  const std::string& rewrite_signer() const { return rewrite_signer_; }

  /// HELO could be taken as aligned with a domain that we forward for.
  bool is_helo_near_hosted() const { return is_helo_near_hosted_; }

  /// The same of any name of ours; those that we forward for are near themselves.
  bool is_near_hosted(const std::string& ours) const;

  bool can_seal() const { return can_seal_; }

 private:
  OrganisationOf organisation_of_;
  std::unordered_set<std::string> ours_;
  std::unordered_set<std::string> parents_;  ///< of wildcards: what lies below them is ours
  std::string helo_;
  std::string srs_domain_;
  std::string doubtful_srs_domain_;
  std::string rewrite_domain_;
  std::string rewrite_signer_;
  bool can_seal_ = false;
  bool is_helo_near_hosted_ = false;
  bool is_srs_near_hosted_ = false;
};

}  // namespace relay::forward
