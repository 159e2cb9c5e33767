// The simulated network as the relay sees it: a dialer, and streams to servers that are models.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "relay/ports/stream.hpp"
#include "tests/simulation/host.hpp"
#include "tests/simulation/link.hpp"

namespace relay::simulation {

/// Hosts by address, and who is connected to them. For one thread.
class Network final : public ports::Dialer {
 public:
  Network(SimClock& clock, Witness& witness, Random random)
      : common_{.clock = clock, .witness = witness}, random_(random) {}

  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  /// The hosts stay where they are as long as this lives.
  Host& add_host(std::string name, std::vector<boost::asio::ip::address> addresses,
                 std::vector<std::string> own_domains);

  std::deque<Host>& hosts() { return hosts_; }

  /// Mail that leaves from this address is of the risk pool.
  void set_risk_source(boost::asio::ip::address address) { risk_source_ = std::move(address); }

  /// Of a thousand reads and writes, how many let others go first although they need not wait.
  void set_yields(unsigned per_mille) { yields_ = per_mille; }

  /// From here on, connections close because the process died.
  void set_dying(bool dying) { dying_ = dying; }

  bool dying() const { return dying_; }

  std::size_t connections() const;

  base::Task<std::expected<std::unique_ptr<ports::Stream>, ports::IoError>> connect(
      ports::Endpoint remote, std::optional<boost::asio::ip::address> source,
      base::Deadline deadline) override;
  base::Task<std::expected<std::unique_ptr<ports::Stream>, ports::TlsError>> start_tls(
      std::unique_ptr<ports::Stream> plain, std::string host, mail::TlsDemand demand,
      base::Deadline deadline) override;

  /// Lets others go first, now and then.
  base::Task<> perhaps_yield();

 private:
  base::Task<bool> wait(base::SteadyTime until, base::Deadline deadline);

  Common common_;
  Random random_;
  std::deque<Host> hosts_;
  std::unordered_map<std::string, Host*> by_address_;
  std::optional<boost::asio::ip::address> risk_source_;
  unsigned yields_ = 0;
  bool dying_ = false;
};

}  // namespace relay::simulation
