#include "relay/inbound/fair_rate.hpp"

#include <limits>

namespace relay::inbound {

namespace {

base::Rate doubled(base::Rate rate) {
  constexpr std::uint32_t kMost = std::numeric_limits<std::uint32_t>::max();
  rate.count = rate.count > kMost / 2 ? kMost : 2 * rate.count;
  return rate;
}

}  // namespace

bool FairRate::take(const base::Origin& origin, const base::Rate& rate, base::SteadyTime now) {
  if (origin.network.empty()) return true;
  if (origin.wider.empty()) return table_.take(origin.network, rate, now);
  // Ask both levels before charging one.
  if (!allows(origin, rate, now)) return false;
  charge(origin, rate, now, 1);
  return true;
}

void FairRate::charge(const base::Origin& origin, const base::Rate& rate, base::SteadyTime now,
                      double amount) {
  if (origin.network.empty()) return;
  table_.charge(origin.network, rate, now, amount);
  if (!origin.wider.empty()) table_.charge(origin.wider, doubled(rate), now, amount);
}

bool FairRate::allows(const base::Origin& origin, const base::Rate& rate, base::SteadyTime now) {
  if (origin.network.empty()) return true;
  return table_.allows(origin.network, rate, now) &&
         (origin.wider.empty() || table_.allows(origin.wider, doubled(rate), now));
}

bool ClientRate::take(const base::Origin& origin, const base::Rate& rate, base::SteadyTime now) {
  if (rate.count == 0 || origin.client.empty()) return true;
  const bool is_ipv6 = !origin.wider.empty();
  const base::Origin client{.client = origin.client,
                            .network = is_ipv6 ? origin.network : origin.client,
                            .wider = origin.wider};
  return rates_.take(client, rate, now);
}

}  // namespace relay::inbound
