// The lookups of one message, counted: what a stranger's records make us ask is bounded, whoever of
// SPF, DKIM, DMARC and ARC asks.
#pragma once

#include <cstddef>

#include "relay/ports/clock.hpp"
#include "relay/ports/resolver.hpp"

namespace relay::auth {

struct LookupBudget {
  std::size_t questions = 60;      ///< for the whole message
  std::chrono::seconds one{5};     ///< the longest wait for one answer
  std::chrono::seconds whole{20};  ///< … and for all of them, from the first on (RFC 7208 §4.6.4)
};

/// Passes questions on until the budget is used up; then every answer is Temporary, so that nothing
/// passes for want of looking. For one shard.
class BudgetedResolver final : public ports::Resolver {
 public:
  /// `inner` and `clock` outlive it.
  BudgetedResolver(ports::Resolver& inner, ports::Clock& clock, const LookupBudget& budget);

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

  /// When everything ends; for callers that want a deadline of their own.
  base::Deadline end() const { return end_; }

  std::size_t asked() const { return asked_; }

 private:
  /// Counts a question; false when there is none left.
  bool take();
  base::Deadline within(base::Deadline deadline) const;

  ports::Resolver& inner_;
  ports::Clock& clock_;
  const LookupBudget budget_;
  const base::Deadline end_;
  std::size_t asked_ = 0;
};

}  // namespace relay::auth
