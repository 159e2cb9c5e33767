#include "relay/app/egress.hpp"

#include <algorithm>
#include <set>

namespace relay::app {

namespace {

using boost::asio::ip::address;

/// False for addresses from which no mail server of others is reached: unique local ones (RFC 4193)
/// are not routed beyond their site. Private IPv4 addresses count, because most of them are
/// translated.
bool reaches_others(const address& local) {
  if (local.is_loopback() || local.is_unspecified()) return false;
  if (local.is_v4()) return true;
  const bool is_unique_local = (local.to_v6().to_bytes()[0] & 0xfe) == 0xfc;
  return !local.to_v6().is_link_local() && !is_unique_local;
}

bool is_left_to_system(const std::optional<address>& source, bool v4,
                       std::span<const address> local) {
  return !source && std::ranges::any_of(local, [v4](const address& one) {
    return one.is_v4() == v4 && reaches_others(one);
  });
}

}  // namespace

SourceAddresses sources_of(const std::vector<std::string>& texts) {
  SourceAddresses sources;
  for (const std::string& text : texts) {
    const address one = boost::asio::ip::make_address(text);
    (one.is_v4() ? sources.v4 : sources.v6) = one;
  }
  return sources;
}

std::vector<address> egress_addresses(const std::vector<std::string>& sources,
                                      const std::vector<std::string>& of_risk_pool,
                                      std::span<const address> local) {
  if (sources.empty()) return {};
  const auto [v4, v6] = sources_of(sources);
  if (is_left_to_system(v4, true, local) || is_left_to_system(v6, false, local)) return {};
  std::set<address> all;
  for (const auto& source : {v4, v6}) {
    if (source) all.insert(*source);
  }
  for (const std::string& source : of_risk_pool) {
    all.insert(boost::asio::ip::make_address(source));
  }
  return {all.begin(), all.end()};
}

}  // namespace relay::app
