// The hosts that take mail for a target domain, from DNS or a route, with the keys for pacing and
// outages.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "relay/base/time.hpp"
#include "relay/delivery/policy.hpp"
#include "relay/mail/tls_demand.hpp"
#include "relay/ports/stream.hpp"

namespace relay::delivery {

/// One address of one host.
struct Candidate {
  std::string host;
  ports::Endpoint endpoint;
  std::uint16_t preference = 0;  ///< lower is better (RFC 5321 §5.1)
  mail::TlsDemand demand;
  std::optional<boost::asio::ip::address> source;  ///< our address; nullopt: the system chooses
  bool secure = false;  ///< its name and addresses were validated by DNSSEC

  /// A connection to one serves the other: same host, address, TLS demand and source.
  friend bool operator==(const Candidate& a, const Candidate& b) {
    return a.endpoint == b.endpoint && a.host == b.host && a.demand == b.demand &&
           a.source == b.source;
  }
};

/// Addresses of one host. A route may name several servers on one, which differ in their ports.
inline bool same_host(const Candidate& a, const Candidate& b) {
  return a.host == b.host && a.endpoint.port == b.endpoint.port;
}

/// Not empty; sorted by rising preference.
struct HostList {
  std::vector<Candidate> hosts;
  std::string key;  ///< host names and ports in order: lanes with the same list share its outages
  std::optional<std::string> provider;  ///< the provider whose rule joins this list with others
  std::string group;  ///< key of the group: provider or list, demand, source, pool
  base::SteadyTime valid_until;
  /// The addresses of a host could not be looked up in time, and others follow that are not better
  /// than it: mail would go past it.
  bool passes_over = false;
  std::shared_ptr<const Policy> policy;  ///< under which it was made
};

}  // namespace relay::delivery
