// How often something may be done, by one client, by its network and by the wider network around
// that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "relay/base/origin.hpp"
#include "relay/base/rate_table.hpp"

namespace relay::inbound {

/// Who has the rate. A client of IPv4 is an address; of IPv6 it is a /64, for its addresses cost
/// nothing.
enum class RateOf : std::uint8_t { Network, Client };

/// How often something may be done, per network or client: each has the rate, and a wider network
/// twice that. An empty origin is not counted. Thread-safe; bounded.
class FairRate {
 public:
  static constexpr std::size_t kMaxKeys = 16'384;

  explicit FairRate(std::size_t max_keys = kMaxKeys, RateOf whose = RateOf::Network)
      : whose_(whose), table_(max_keys) {}

  // See base::RateTable. `debt` is the largest of those counted.

  bool take(const base::Origin& origin, const base::Rate& rate, base::SteadyTime now);
  void charge(const base::Origin& origin, const base::Rate& rate, base::SteadyTime now,
              double amount);
  bool allows(const base::Origin& origin, const base::Rate& rate, base::SteadyTime now);
  void give_back(const base::Origin& origin, const base::Rate& rate, base::SteadyTime now,
                 double amount);
  double debt(const base::Origin& origin, const base::Rate& rate, base::SteadyTime now);

  std::size_t size() const { return table_.size(); }

 private:
  const std::string& key_of(const base::Origin& origin) const;

  const RateOf whose_;
  base::RateTable table_;
};

/// How often one client may do something; a /48 has twice the rate. An empty origin is not counted.
/// Thread-safe; bounded.
class ClientRate {
 public:
  explicit ClientRate(std::size_t max_keys = FairRate::kMaxKeys)
      : rates_(max_keys, RateOf::Client) {}

  /// A rate of 0 limits nothing.
  bool take(const base::Origin& origin, const base::Rate& rate, base::SteadyTime now) {
    return rate.count == 0 || rates_.take(origin, rate, now);
  }

 private:
  FairRate rates_;
};

}  // namespace relay::inbound
