// Who gets mail for a local part of ours: exact, then without its tag, then patterns, then the
// mapped domain, then the catch-all. One hash lookup each, however many aliases there are.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <re2/re2.h>

#include "relay/forward/rejection.hpp"
#include "relay/mail/address.hpp"
#include "relay/settings/settings.hpp"

namespace relay::forward {

/// One step of alias resolution.
struct AliasHit {
  std::vector<mail::Mailbox> targets;
  std::string rule;  ///< "exact info", "tag info", "pattern 2", "map other.example", "catch-all"
  settings::DmarcSettings dmarc;  ///< of the alias, its domain, or the defaults
};

class AliasMap {
 public:
  static std::expected<AliasMap, std::string> make(const settings::Settings& settings);

  bool is_ours(const mail::Domain& domain) const { return domains_.contains(domain.folded()); }

  /// Precondition: is_ours(mailbox.domain()).
  std::expected<AliasHit, Rejection> find(const mail::Mailbox& mailbox) const;

 private:
  struct Entry {
    std::vector<mail::Mailbox> targets;
    std::optional<settings::Rejected> reject;
    std::optional<bool> keep_tag;
    settings::DmarcSettings dmarc;
  };

  struct Pattern {
    std::unique_ptr<RE2> expression;
    std::vector<std::string> targets;
  };

  struct Hosted {
    std::unordered_map<std::string, Entry> entries;
    std::vector<Pattern> patterns;
    std::optional<mail::Domain> map_to;
    settings::DmarcSettings dmarc;
  };

  std::expected<AliasHit, Rejection> taken(const Entry& entry, std::string rule,
                                           std::string_view tag) const;
  std::expected<AliasHit, Rejection> by_pattern(const Hosted& hosted,
                                                const std::string& local) const;
  std::expected<AliasHit, Rejection> fallback(const Hosted& hosted,
                                              const mail::Mailbox& mailbox) const;

  std::unordered_map<std::string, Hosted> domains_;
  settings::Defaults defaults_;
};

}  // namespace relay::forward
