#include "relay/auth/budgeted_resolver.hpp"

#include <utility>

namespace relay::auth {

using boost::asio::ip::address;
using ports::DnsAnswer;
using ports::DnsError;

BudgetedResolver::BudgetedResolver(ports::Resolver& inner, ports::Clock& clock,
                                   const LookupBudget& budget)
    : inner_(inner), clock_(clock), budget_(budget), end_{clock.steady() + budget.whole} {}

bool BudgetedResolver::take() {
  if (asked_ >= budget_.questions) return false;
  ++asked_;
  return true;
}

base::Deadline BudgetedResolver::within(base::Deadline deadline) const {
  return deadline.within(end_).within(base::Deadline{clock_.steady() + budget_.one});
}

base::Task<std::expected<DnsAnswer<ports::MxHost>, DnsError>> BudgetedResolver::mx(
    std::string domain, base::Deadline deadline) {
  if (!take()) co_return std::unexpected(DnsError::Temporary);
  co_return co_await inner_.mx(std::move(domain), within(deadline));
}

base::Task<std::expected<DnsAnswer<address>, DnsError>> BudgetedResolver::addresses(
    std::string host, base::Deadline deadline) {
  if (!take()) co_return std::unexpected(DnsError::Temporary);
  co_return co_await inner_.addresses(std::move(host), within(deadline));
}

base::Task<std::expected<DnsAnswer<address>, DnsError>> BudgetedResolver::addresses_of(
    std::string host, ports::IpFamily family, base::Deadline deadline) {
  if (!take()) co_return std::unexpected(DnsError::Temporary);
  co_return co_await inner_.addresses_of(std::move(host), family, within(deadline));
}

base::Task<std::expected<DnsAnswer<std::string>, DnsError>> BudgetedResolver::names(
    address address, base::Deadline deadline) {
  if (!take()) co_return std::unexpected(DnsError::Temporary);
  co_return co_await inner_.names(std::move(address), within(deadline));
}

base::Task<std::expected<DnsAnswer<std::string>, DnsError>> BudgetedResolver::txt(
    std::string name, base::Deadline deadline) {
  if (!take()) co_return std::unexpected(DnsError::Temporary);
  co_return co_await inner_.txt(std::move(name), within(deadline));
}

}  // namespace relay::auth
