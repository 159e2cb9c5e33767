// Who gets mail for a local part of ours: exact, then without its tag, then patterns, then the
// mapped domain, then the catch-all. One hash lookup each, however many aliases there are. Points
// into the settings it was made of: a million aliases are there once.
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
#include "relay/forward/rejection.hpp"
#include "relay/mail/address.hpp"
#include "relay/settings/hosted_domains.hpp"
#include "relay/settings/settings.hpp"

namespace relay::forward {

/// One step of alias resolution.
struct AliasHit {
  std::vector<mail::Mailbox> targets;
  std::string rule;  ///< "exact info", "tag info", "pattern 2", "map other.example", "catch-all"
  settings::DmarcSettings dmarc;               ///< of the alias, its domain, or the defaults
  bool discards = false;                       ///< no targets: the mail is thrown away
  std::uint64_t max_size = 0;                  ///< octets of a message; 0: any
  std::optional<mail::Mailbox> fallback = {};  ///< gets what no target took
};

class AliasMap {
 public:
  static std::expected<AliasMap, std::string> make(
      std::shared_ptr<const settings::Settings> settings);

  bool is_ours(const mail::Domain& domain) const { return names_.find(domain.folded()) != nullptr; }

  /// Precondition: is_ours(mailbox.domain()).
  std::expected<AliasHit, Rejection> find(const mail::Mailbox& mailbox, base::WallTime now) const;

 private:
  struct Pattern {
    std::unique_ptr<RE2> expression;
    std::vector<std::string> targets;
  };

  struct Hosted {
    std::unordered_map<std::string_view, const settings::Alias*> aliases;  ///< by folded local part
    std::vector<Pattern> patterns;
    const mail::Domain* map_to = nullptr;
    settings::DmarcSettings dmarc;
  };

  AliasMap() = default;

  std::expected<AliasHit, Rejection> look_up(const Hosted& hosted, const mail::Mailbox& mailbox,
                                             base::WallTime now) const;
  /// By its folded name, or by the role that has this name at the domain; null: there is none.
  const settings::Alias* alias_of(const Hosted& hosted, const mail::Domain& domain,
                                  const std::string& local_part) const;
  std::expected<AliasHit, Rejection> taken(const Hosted& hosted, const settings::Alias& alias,
                                           std::string rule, std::string_view tag,
                                           base::WallTime now) const;
  std::expected<AliasHit, Rejection> by_pattern(const Hosted& hosted,
                                                const std::string& local) const;
  std::expected<AliasHit, Rejection> fallback(const Hosted& hosted, const mail::Mailbox& mailbox,
                                              base::WallTime now) const;

  const settings::Defaults& defaults() const { return settings_->defaults; }

  std::shared_ptr<const settings::Settings> settings_;
  std::unique_ptr<const settings::Alias>
      postmaster_;  ///< of [defaults], where no alias has the role
  settings::HostedDomains names_;
  std::unordered_map<const settings::HostedDomain*, Hosted> domains_;
};

}  // namespace relay::forward
