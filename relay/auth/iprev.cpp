#include "relay/auth/iprev.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "relay/base/network.hpp"
#include "relay/base/text.hpp"

namespace relay::auth {

namespace {

using boost::asio::ip::address;
using mail::IprevResult;

std::vector<std::string> presentable(const std::vector<std::string>& names) {
  std::vector<std::string> chosen;
  std::ranges::copy_if(names, std::back_inserter(chosen), is_host_name);
  if (chosen.size() > kMaxIprevNames) chosen.resize(kMaxIprevNames);
  return chosen;
}

bool is_host_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(
             label, [](char c) { return base::is_alpha(c) || base::is_digit(c) || c == '-'; });
}

}  // namespace

bool is_host_name(std::string_view name) {
  if (name.size() > 253) return false;
  while (true) {
    const std::size_t dot = name.find('.');
    if (!is_host_label(name.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

base::Task<mail::IprevVerdict> check_iprev(ports::Resolver& resolver,
                                           boost::asio::ip::address client,
                                           base::Deadline deadline) {
  client = base::plain_address(client);
  const auto family = client.is_v4() ? ports::IpFamily::V4 : ports::IpFamily::V6;
  const auto names = co_await resolver.names(client, deadline);
  if (!names) {
    const bool later = ports::is_temporary(names.error());
    co_return mail::IprevVerdict{.result = later ? IprevResult::TempError : IprevResult::PermError};
  }
  mail::IprevVerdict verdict{.result = IprevResult::Fail};
  for (const std::string& name : presentable(names->records)) {
    const auto addresses = co_await resolver.addresses_of(name, family, deadline);
    if (addresses && std::ranges::find(addresses->records, client) != addresses->records.end()) {
      co_return mail::IprevVerdict{.result = IprevResult::Pass, .name = name};
    }
    if (!addresses && ports::is_temporary(addresses.error())) {
      verdict.result = IprevResult::TempError;
    }
  }
  co_return verdict;
}

}  // namespace relay::auth
