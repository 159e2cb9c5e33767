// The names of ours that a copy can bear: HELO, SRS domain, signing domains, and the domain of
// rewritten From fields. Tells whether such a name could vouch for an author: mail whose author is
// not proven must never leave under a name that could.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <unordered_set>

namespace relay::forward {

struct Policy;

/// Which public suffixes count: all of them, or those of registries alone, without the domains of
/// others who let customers register below (eu.org).
enum class Suffixes : std::uint8_t { All, Registries };

/// Maps a folded name to its organisational domain (RFC 9989 §4.10, or the public suffix list).
/// Injected by the composition root, because this room has no such list.
using OrganisationOf = std::function<std::string(const std::string&, Suffixes)>;

class Identities {
 public:
  Identities() = default;

  /// Without `organisation_of` the answers are the cautious ones: same_organisation() is true for
  /// equal names only, and could_align() is true for all names with the same last two labels. The
  /// error names a domain of the configuration that is used for what it must not be.
  static std::expected<Identities, std::string> make(const Policy& policy,
                                                     OrganisationOf organisation_of);

  /// A domain that we forward for or speak as, or a name below one.
  bool is_ours(const std::string& domain) const;

  /// Relaxed alignment (RFC 9989 §4.4): false for empty names.
  bool same_organisation(const std::string& a, const std::string& b) const;

  /// False only if it is certain that no receiver takes `ours` as aligned with `author`, whatever
  /// list or tree walk it uses. An empty author is unknown and may be anybody: true.
  bool could_align(const std::string& ours, const std::string& author) const;

  const std::string& helo() const { return helo_; }

  const std::string& srs_domain() const { return srs_domain_; }  ///< "": no SRS

  /// SRS domain for doubtful mail (is_doubtful): [risk] srs_domain, else srs_domain().
  const std::string& doubtful_srs_domain() const { return doubtful_srs_domain_; }

  const std::string& rewrite_domain() const { return rewrite_domain_; }  ///< "": never rewritten

  /// The [[dkim]] domain that is aligned with rewrite_domain(); "": none.
  const std::string& rewrite_signer() const { return rewrite_signer_; }

  /// HELO could be aligned with a domain that we forward for.
  bool is_helo_near_hosted() const { return is_helo_near_hosted_; }

  /// The same for any name of ours. A domain that we forward for is near itself: true.
  bool is_near_hosted(const std::string& ours) const;

  bool can_seal() const { return can_seal_; }

 private:
  bool same_by(Suffixes suffixes, const std::string& a, const std::string& b) const;

  OrganisationOf organisation_of_;
  std::unordered_set<std::string> ours_;
  std::unordered_set<std::string> parents_;  ///< of wildcards: every name below them is ours
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
