// Where a copy goes next, as the routes of this moment say.
#pragma once

#include <string>
#include <vector>

#include "relay/delivery/policy.hpp"

namespace relay::delivery {

struct Destination {
  std::string key;                     ///< copies with the same key share connections and limits
  std::string domain;                  ///< folded domain of the target
  std::vector<forward::NextHop> hops;  ///< from a [[route]]; empty: by MX
};

Destination destination_of(const std::string& folded_domain, const Policy& policy);

}  // namespace relay::delivery
