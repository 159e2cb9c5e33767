// How often something may be done, by one client, by its network and by the wider network around
// that.
#pragma once

#include <cstddef>

#include "relay/base/origin.hpp"
#include "relay/base/rate_table.hpp"

namespace relay::inbound {

/// How often something may be done, per network: each has the rate, and a wider network twice that.
/// An empty origin is not counted. Thread-safe; bounded.
class FairRate {
 public:
  explicit FairRate(std::size_t max_keys = 16'384) : table_(max_keys) {}

  // See base::RateTable.

  bool take(const base::Origin& origin, const base::Rate& rate, base::SteadyTime now);
  void charge(const base::Origin& origin, const base::Rate& rate, base::SteadyTime now,
              double amount);
  bool allows(const base::Origin& origin, const base::Rate& rate, base::SteadyTime now);

  std::size_t size() const { return table_.size(); }

 private:
  base::RateTable table_;
};

/// How often one client may do something. A client of IPv4 is an address; of IPv6 it is a /64, for
/// its addresses cost nothing, and a /48 has twice the rate. An empty origin is not counted.
/// Thread-safe; bounded.
class ClientRate {
 public:
  explicit ClientRate(std::size_t max_keys = 16'384) : rates_(max_keys) {}

  /// A rate of 0 limits nothing.
  bool take(const base::Origin& origin, const base::Rate& rate, base::SteadyTime now);

 private:
  FairRate rates_;
};

}  // namespace relay::inbound
