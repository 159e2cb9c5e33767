// Lists of hosts for tests: "mx1 mx2 mx3" with addresses and preferences by position.
#pragma once

#include <sstream>
#include <string>

#include "relay/delivery/host_list.hpp"

namespace relay::delivery {

/// Host n of all there are has the address 192.0.2.n; `names` are numbered names: "a1 b2".
inline HostList a_host_list(const std::string& names, bool equal = false) {
  HostList list;
  std::istringstream words(names);
  for (std::string name; words >> name;) {
    const auto number = name.back() - '0';
    const auto preference = static_cast<std::uint16_t>(equal ? 10 : 10 * (list.hosts.size() + 1));
    list.hosts.push_back(
        {.host = name,
         .endpoint = {boost::asio::ip::make_address("192.0.2." + std::to_string(number)), 25},
         .preference = preference,
         .demand = {},
         .source = {}});
    list.key += name + ' ';
  }
  list.group = list.key;
  list.valid_until = base::SteadyTime::max();
  return list;
}

inline std::string names_in(const HostList& list, const std::vector<std::size_t>& order) {
  std::string names;
  for (const std::size_t at : order) names += list.hosts[at].host + ' ';
  return names;
}

}  // namespace relay::delivery
