// Organisational domains by the Public Suffix List (RFC 7489 §3.2).
#pragma once

#include <memory>
#include <string>

namespace relay::auth {

/// Organisational domains by the Public Suffix List of the system (libpsl).
class OrganisationalDomain {
 public:
  OrganisationalDomain();

  /// "example.co.uk" for "mail.example.co.uk"; the name itself when it is a public suffix.
  std::string of(const std::string& folded_domain) const;

  /// The same by the suffixes of the registries alone: "eu.org" for "relay.eu.org", although that
  /// domain lets customers register below it. A tree walk that finds a record there takes it for
  /// the organisational domain of all of them.
  std::string by_registries(const std::string& folded_domain) const;

 private:
  std::shared_ptr<const void> list_;
};

}  // namespace relay::auth
