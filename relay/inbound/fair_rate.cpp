#include "relay/inbound/fair_rate.hpp"

#include <algorithm>
#include <limits>

namespace relay::inbound {

namespace {

base::Rate doubled(base::Rate rate) {
  constexpr std::uint32_t kMost = std::numeric_limits<std::uint32_t>::max();
  rate.count = rate.count > kMost / 2 ? kMost : 2 * rate.count;
  return rate;
}

}  // namespace

const std::string& FairRate::key_of(const base::Origin& origin) const {
  const bool is_ipv4 = origin.wider.empty();
  return whose_ == RateOf::Client && is_ipv4 ? origin.client : origin.network;
}

bool FairRate::take(const base::Origin& origin, const base::Rate& rate, base::SteadyTime now) {
  const std::string& key = key_of(origin);
  if (key.empty()) return true;
  if (origin.wider.empty()) return table_.take(key, rate, now);
  // Ask both levels before charging one.
  if (!allows(origin, rate, now)) return false;
  charge(origin, rate, now, 1);
  return true;
}

void FairRate::charge(const base::Origin& origin, const base::Rate& rate, base::SteadyTime now,
                      double amount) {
  const std::string& key = key_of(origin);
  if (key.empty()) return;
  table_.charge(key, rate, now, amount);
  if (!origin.wider.empty()) table_.charge(origin.wider, doubled(rate), now, amount);
}

bool FairRate::allows(const base::Origin& origin, const base::Rate& rate, base::SteadyTime now) {
  const std::string& key = key_of(origin);
  if (key.empty()) return true;
  return table_.allows(key, rate, now) &&
         (origin.wider.empty() || table_.allows(origin.wider, doubled(rate), now));
}

void FairRate::give_back(const base::Origin& origin, const base::Rate& rate, base::SteadyTime now,
                         double amount) {
  table_.give_back(key_of(origin), rate, now, amount);
  if (!origin.wider.empty()) table_.give_back(origin.wider, doubled(rate), now, amount);
}

double FairRate::debt(const base::Origin& origin, const base::Rate& rate, base::SteadyTime now) {
  const double own = table_.debt(key_of(origin), rate, now);
  return origin.wider.empty() ? own : std::max(own, table_.debt(origin.wider, doubled(rate), now));
}

}  // namespace relay::inbound
