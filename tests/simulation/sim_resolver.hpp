// The DNS of a simulated world.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "relay/ports/resolver.hpp"
#include "tests/simulation/random.hpp"
#include "tests/simulation/sim_clock.hpp"
#include "tests/simulation/world.hpp"

namespace relay::simulation {

class Fairness;

class SimResolver final : public ports::Resolver {
 public:
  /// How questions about a domain end while its DNS fails.
  enum class Illness : std::uint8_t { None, Temporary, Silent };

  SimResolver(const World& world, SimClock& clock, Random random, Fairness* fairness);

  void fall_ill(std::size_t domain, Illness illness) { illness_[domain] = illness; }

  /// From here on the domain has its other hosts.
  void move(std::size_t domain) { has_moved_[domain] = true; }

  base::Task<std::expected<ports::DnsAnswer<ports::MxHost>, ports::DnsError>> mx(
      std::string domain, base::Deadline deadline) override;
  base::Task<std::expected<ports::DnsAnswer<boost::asio::ip::address>, ports::DnsError>> addresses(
      std::string host, base::Deadline deadline) override;
  base::Task<std::expected<ports::DnsAnswer<boost::asio::ip::address>, ports::DnsError>>
  addresses_of(std::string host, ports::IpFamily family, base::Deadline deadline) override;
  base::Task<std::expected<ports::DnsAnswer<std::string>, ports::DnsError>> names(
      boost::asio::ip::address address, base::Deadline deadline) override;
  base::Task<std::expected<ports::DnsAnswer<std::string>, ports::DnsError>> txt(
      std::string name, base::Deadline deadline) override;

 private:
  base::Task<bool> wait(base::SteadyTime until, base::Deadline deadline);
  std::expected<ports::DnsAnswer<ports::MxHost>, ports::DnsError> answer_of(std::size_t domain);

  std::chrono::milliseconds latency() { return std::chrono::milliseconds(random_.between(0, 40)); }

  const World& world_;
  SimClock& clock_;
  Random random_;
  Fairness* fairness_;
  std::unordered_map<std::string, std::size_t> domains_;
  std::unordered_map<std::string, std::size_t> hosts_;
  std::vector<Illness> illness_;
  std::vector<bool> has_moved_;
};

}  // namespace relay::simulation
