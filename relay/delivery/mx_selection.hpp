// Which addresses to try for a destination, in order (RFC 5321 §5.1).
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "relay/delivery/destination.hpp"
#include "relay/delivery/dice.hpp"
#include "relay/mail/outcome.hpp"
#include "relay/ports/resolver.hpp"
#include "relay/ports/stream.hpp"
#include "relay/smtp/client_machine.hpp"

namespace relay::delivery {

/// One address to connect to.
struct Candidate {
  std::string host;
  ports::Endpoint endpoint;
  smtp::TlsUse tls = smtp::TlsUse::IfOffered;
  ports::TlsLevel level = ports::TlsLevel::Opportunistic;
  std::optional<boost::asio::ip::address> source;  ///< of ours; none: as the system chooses
};

/// Why there is no address: Failed for what a retry cannot change, else Deferred.
using Unroutable = mail::Outcome;

class MxSelection {
 public:
  MxSelection(ports::Resolver& resolver, Dice& dice) : resolver_(resolver), dice_(dice) {}

  /// At least one, at most policy->addresses_per_attempt, both address families among them where
  /// a host has both (O-10). What the risk pool has no address to send from is left out. `at` of
  /// the outcome is left to the caller.
  base::Task<std::expected<std::vector<Candidate>, Unroutable>> candidates(
      Destination destination, std::shared_ptr<const Policy> policy, base::Deadline deadline);

 private:
  struct Host {
    std::string name;
    std::uint16_t port = 25;
    bool configured = false;  ///< named by the operator: may be private
    smtp::TlsUse tls = smtp::TlsUse::IfOffered;
    ports::TlsLevel level = ports::TlsLevel::Opportunistic;
  };

  base::Task<std::expected<std::vector<Host>, Unroutable>> mx_hosts(
      std::string domain, std::shared_ptr<const Policy> policy, base::Deadline deadline);
  base::Task<std::expected<std::vector<boost::asio::ip::address>, ports::DnsError>> addresses(
      std::string name, base::Deadline deadline);
  void shuffle_ties(std::vector<ports::MxHost>& hosts);

  ports::Resolver& resolver_;
  Dice& dice_;
};

}  // namespace relay::delivery
