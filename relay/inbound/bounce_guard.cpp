#include "relay/inbound/bounce_guard.hpp"

namespace relay::inbound {

namespace {

base::Rate hourly(std::uint32_t count) { return {count, std::chrono::hours(1)}; }

}  // namespace

smtp::Reply BounceGuard::throttled() {
  throttled_.fetch_add(1, std::memory_order_relaxed);
  return {450, {4, 7, 1}, "Too many bounces, try again later"};
}

std::optional<smtp::Reply> BounceGuard::objection_to(const std::string& client,
                                                     const BounceLimits& limits,
                                                     base::SteadyTime now) {
  if (bad_.allows(client, hourly(limits.bad_per_client), now)) return std::nullopt;
  return throttled();
}

void BounceGuard::note_refused(const std::string& client, const BounceLimits& limits,
                               base::SteadyTime now) {
  refused_.fetch_add(1, std::memory_order_relaxed);
  bad_.take(client, hourly(limits.bad_per_client), now);
}

std::optional<smtp::Reply> BounceGuard::take(const BounceAddress& bounce, const std::string& client,
                                             const BounceLimits& limits, base::SteadyTime now) {
  const auto per_address = hourly(limits.per_address);
  const auto per_sender = hourly(limits.per_sender);
  const auto per_client = hourly(limits.per_client);
  // All are asked before one is charged: who is over one limit does not use up the others.
  if (!addresses_.allows(bounce.address, per_address, now) ||
      !senders_.allows(bounce.sender, per_sender, now) ||
      !clients_.allows(client, per_client, now)) {
    return throttled();
  }
  addresses_.take(bounce.address, per_address, now);
  senders_.take(bounce.sender, per_sender, now);
  clients_.take(client, per_client, now);
  if (bounce.weak) bad_.take(client, hourly(limits.bad_per_client), now);
  taken_.fetch_add(1, std::memory_order_relaxed);
  return std::nullopt;
}

}  // namespace relay::inbound
