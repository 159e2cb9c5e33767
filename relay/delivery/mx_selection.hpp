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
  /// A list is used for as long as the DNS says, within these bounds.
  static constexpr std::chrono::seconds kShortest{5};
  static constexpr std::chrono::seconds kLongest{3600};
  static constexpr std::chrono::seconds kAskAgain{30};  ///< where one of its hosts is not known now
  static constexpr std::size_t kMaxAddresses = 20;

  MxSelection(ports::Resolver& resolver, ports::Clock& clock)
      : resolver_(resolver), clock_(clock) {}

  /// By rising preference, both address families of a host in turns. A host that is us, by name or
  /// by address, cuts the list: only better ones may be asked, or mail would go in circles. What
  /// the risk pool has no address to send from is left out. `at` of the outcome is the caller's.
  base::Task<std::expected<HostList, Unroutable>> hosts(Destination destination,
                                                        std::shared_ptr<const Policy> policy);

 private:
  struct Host {
    std::string name;
    std::uint16_t port = 25;
    std::uint16_t preference = 0;
    bool configured = false;  ///< named by the operator: may be private
    mail::TlsDemand demand;
    bool secure = false;
  };

  /// What is known of a destination while its list is made.
  struct Draft {
    Destination destination;
    std::shared_ptr<const Policy> policy;
    base::Deadline deadline;
    std::chrono::seconds ttl = kLongest;
    std::vector<Candidate> chosen;
    Unroutable why;
  };

  base::Task<std::expected<std::vector<Host>, Unroutable>> hosts_of(Draft& draft);
  base::Task<std::expected<std::vector<Host>, Unroutable>> mx_hosts(Draft& draft);
  base::Task<bool> add_addresses(Draft& draft, const Host& host, std::size_t at_most);
  base::Task<std::expected<ports::DnsAnswer<boost::asio::ip::address>, ports::DnsError>> addresses(
      std::string name, base::Deadline deadline);

  ports::Resolver& resolver_;
  ports::Clock& clock_;
};

}  // namespace relay::delivery
