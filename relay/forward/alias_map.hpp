// Finds the targets of a local part in our domains. Tried in this order: the exact name, the name
// without its tag, the patterns, the mapped domain, the catch-all. Each step but the patterns is
// one hash lookup, however many aliases there are. The map points into the policy that it was
// made from, so that a million aliases are in memory once.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <re2/re2.h>

#include "relay/base/time.hpp"
#include "relay/forward/dmarc_settings.hpp"
#include "relay/forward/hosted_domains.hpp"
#include "relay/forward/rejection.hpp"
#include "relay/mail/address.hpp"

namespace relay::forward {

struct Alias;

/// One step of alias resolution.
struct AliasHit {
  std::vector<mail::Mailbox> targets;
  /// "exact info@a.example", "tag info@a.example", "pattern 2", "map other.example", "catch-all". A
  /// local part is always in an address, so that the log can leave it out.
  std::string rule;
  DmarcSettings dmarc;         ///< of the alias, else of its domain, else the defaults
  bool discards = false;       ///< no targets: the mail is accepted and thrown away
  std::uint64_t max_size = 0;  ///< octets of a message; 0: any
  std::optional<mail::Mailbox> fallback = {};  ///< gets the message when no target has taken it
  std::vector<std::string> no_addresses = {};  ///< what a pattern made that cannot be a target
};

class AliasMap {
 public:
  static std::expected<AliasMap, std::string> make(std::shared_ptr<const Policy> policy);

  bool is_ours(const mail::Domain& domain) const { return names_.find(domain.folded()) != nullptr; }

  /// Precondition: is_ours(mailbox.domain()).
  std::expected<AliasHit, Rejection> find(const mail::Mailbox& mailbox, base::WallTime now) const;

 private:
  struct Pattern {
    std::unique_ptr<RE2> expression;
    std::vector<std::string> targets;
  };

  struct Hosted {
    std::unordered_map<std::string_view, const Alias*> aliases;  ///< by folded local part
    std::vector<Pattern> patterns;
    const mail::Domain* map_to = nullptr;
    DmarcSettings dmarc;
  };

  AliasMap() = default;

  std::expected<AliasHit, Rejection> look_up(const Hosted& hosted, const mail::Mailbox& mailbox,
                                             base::WallTime now) const;
  /// The alias by its folded name, or the [defaults] postmaster when the name is a role at this
  /// domain (roles_at); null: there is neither.
  const Alias* alias_of(const Hosted& hosted, const mail::Domain& domain,
                        const std::string& local_part) const;
  std::expected<AliasHit, Rejection> taken(const Hosted& hosted, const Alias& alias,
                                           std::string rule, std::string_view tag,
                                           base::WallTime now) const;
  std::expected<AliasHit, Rejection> by_pattern(const Hosted& hosted,
                                                const std::string& local) const;
  std::expected<AliasHit, Rejection> fallback(const Hosted& hosted, const mail::Mailbox& mailbox,
                                              base::WallTime now) const;

  std::shared_ptr<const Policy> policy_;
  std::shared_ptr<const Alias> postmaster_;  ///< for the roles; null: no [defaults] postmaster
  HostedDomains names_;
  std::unordered_map<const HostedDomain*, Hosted> domains_;
};

}  // namespace relay::forward
