#include "relay/app/wiring_offline.hpp"

#include <utility>

#include "relay/app/wiring_parts.hpp"

namespace relay::app {

std::expected<std::unique_ptr<OfflineLookups>, std::string> OfflineLookups::open(
    const settings::Settings& settings, std::optional<std::string> world) {
  std::unique_ptr<OfflineLookups> lookups(new OfflineLookups());
  auto resolver = world ? dns::UnboundResolver::open(lookups->io_, {.world = std::move(world)})
                        : open_resolver(lookups->io_, settings);
  if (!resolver) return std::unexpected(resolver.error());
  lookups->resolver_ = std::move(*resolver);
  return lookups;
}

}  // namespace relay::app
