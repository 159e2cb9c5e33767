// What the operator wants for mail whose author is not proven, and for mail that loses its proof by
// forwarding.
#pragma once

#include <optional>

namespace relay::forward {

enum class OnDmarcFail {
  Policy,   ///< do as the author's domain asks
  Forward,  ///< forward as doubtful mail, whatever it asks
  Hold,     ///< hold for the operator
};

enum class Quarantine { RiskPool, Tag };

enum class RewriteFrom { Never, WhenNeeded };

struct DmarcSettings {
  OnDmarcFail on_dmarc_fail = OnDmarcFail::Policy;
  Quarantine quarantine = Quarantine::RiskPool;
  RewriteFrom rewrite_from = RewriteFrom::Never;

  friend bool operator==(const DmarcSettings&, const DmarcSettings&) = default;
};

/// The same settings where a domain or an alias sets them.
struct DmarcOverrides {
  std::optional<OnDmarcFail> on_dmarc_fail;
  std::optional<Quarantine> quarantine;
  std::optional<RewriteFrom> rewrite_from;

  DmarcSettings over(const DmarcSettings& outer) const {
    return {.on_dmarc_fail = on_dmarc_fail.value_or(outer.on_dmarc_fail),
            .quarantine = quarantine.value_or(outer.quarantine),
            .rewrite_from = rewrite_from.value_or(outer.rewrite_from)};
  }
};

}  // namespace relay::forward
