#include "relay/app/wiring_offline.hpp"

#include <utility>

namespace relay::app {

std::expected<std::unique_ptr<OfflineLookups>, std::string> OfflineLookups::open(
    const settings::Settings& settings, std::optional<std::string> world) {
  std::unique_ptr<OfflineLookups> lookups(new OfflineLookups());
  dns::UnboundOptions options;
  options.world = std::move(world);
  if (!options.world) {
    options.forward_to = settings.dns.forward_to;
    if (!settings.dns.trust_anchor.empty()) options.trust_anchor = settings.dns.trust_anchor;
  }
  auto resolver = dns::UnboundResolver::open(lookups->io_, options);
  if (!resolver) return std::unexpected(resolver.error());
  lookups->resolver_ = std::move(*resolver);
  return lookups;
}

}  // namespace relay::app
