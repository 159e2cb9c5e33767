// Looks up the hosts that take mail for a destination (RFC 5321 §5.1).
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "relay/delivery/destination.hpp"
#include "relay/delivery/host_list.hpp"
#include "relay/mail/outcome.hpp"
#include "relay/ports/clock.hpp"
#include "relay/ports/resolver.hpp"

namespace relay::delivery {

/// Why there is no address: Failed for what a retry cannot change, else Deferred.
using Unroutable = mail::Outcome;

class MxSelection {
 public:
  /// A list is used for the TTL of its DNS records, within these bounds.
  static constexpr std::chrono::seconds kShortest{5};
  static constexpr std::chrono::seconds kLongest{3600};
  static constexpr std::chrono::seconds kAskAgain{30};  ///< if an address lookup failed temporarily
  static constexpr std::size_t kMaxAddresses = 20;

  MxSelection(ports::Resolver& resolver, ports::Clock& clock)
      : resolver_(resolver), clock_(clock) {}

  /// Sorted by rising preference, the address families of a host alternating. If a host is this
  /// relay, by name or address, only hosts of better preference stay: otherwise mail would loop.
  /// Addresses that the risk pool has no source address for are left out. Ends within that time; a
  /// host whose DNS is silent leaves half of it to those behind. The caller sets `at` of the
  /// outcome. `cut` may be null.
  base::Task<std::expected<HostList, Unroutable>> hosts(Destination destination,
                                                        std::shared_ptr<const Policy> policy,
                                                        std::chrono::seconds within,
                                                        base::Cut* cut = nullptr);

 private:
  struct Host {
    std::string name;
    std::uint16_t port = 25;
    std::uint16_t preference = 0;
    bool configured = false;  ///< by the operator: may be private
    mail::TlsDemand demand;
    bool secure = true;  ///< DNSSEC has proven the name, or it is not from another record
  };

  /// Working state while a list is made.
  struct Draft {
    Destination destination;
    std::shared_ptr<const Policy> policy;
    base::Deadline deadline;
    std::chrono::seconds ttl = kLongest;
    std::vector<Candidate> chosen;
    Unroutable why;
    std::optional<std::uint16_t> silent;  ///< preference of the best host not found in time
  };

  base::Task<std::expected<std::vector<Host>, Unroutable>> hosts_of(Draft& draft);
  base::Task<std::expected<std::vector<Host>, Unroutable>> mx_hosts(Draft& draft);
  base::Deadline deadline_for(const Draft& draft, bool is_last) const;
  base::Task<bool> add_addresses(Draft& draft, const Host& host, std::size_t at_most, bool is_last);
  base::Task<std::expected<ports::DnsAnswer<boost::asio::ip::address>, ports::DnsError>> addresses(
      std::string name, base::Deadline deadline);

  ports::Resolver& resolver_;
  ports::Clock& clock_;
};

}  // namespace relay::delivery
