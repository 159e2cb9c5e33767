#include "relay/delivery/limits.hpp"

#include <algorithm>

namespace relay::delivery {

base::Rate evened_out(const base::Rate& rate) {
  constexpr std::int64_t kBurst = 10;  // seconds
  const std::int64_t count = std::max<std::int64_t>(rate.count, 1);
  const std::int64_t span = std::max<std::int64_t>(rate.span.count(), 1);
  const std::int64_t at_once = std::clamp<std::int64_t>(count * kBurst / span, 1, count);
  return {.count = static_cast<std::uint32_t>(at_once),
          .span = std::chrono::seconds((span * at_once + count - 1) / count)};
}

Limits limits_of(const Policy& policy) {
  Limits limits;
  limits.ordinary.places = std::max<std::size_t>(policy.outbound.max_connections, 1);
  limits.ordinary.sessions_per_group = std::max<std::size_t>(policy.outbound.connections, 1);
  limits.risk.places = std::max<std::size_t>(policy.outbound.max_connections / 4, 1);
  limits.risk.sessions_per_group = std::max<std::size_t>(policy.risk.connections, 1);
  limits.risk_rate = evened_out(policy.risk.rate);
  limits.lookups = policy.lookups_at_once;
  limits.whole_lookup = policy.timeouts.dns;
  limits.quick_lookup = std::min(limits.quick_lookup, limits.whole_lookup);
  limits.memory = policy.memory;
  limits.keep_open = policy.keep_open;
  // The outage must be over when a copy is due again, so that the copy is really tried.
  const std::chrono::milliseconds shortest_wait = policy.retry.schedule.front();
  limits.first_outage = std::min(limits.first_outage, shortest_wait / 2);
  return limits;
}

}  // namespace relay::delivery
