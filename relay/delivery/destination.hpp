// Where a copy goes next, as the routes of this moment say.
#pragma once

#include <string>
#include <vector>

#include "relay/delivery/policy.hpp"
#include "relay/mail/message.hpp"

namespace relay::delivery {

struct Destination {
  std::string key;                     ///< copies with the same key share connections and limits
  std::string domain;                  ///< folded domain of the target
  std::vector<forward::NextHop> hops;  ///< from a [[route]]; empty: by MX
  bool risk_pool = false;              ///< never shares anything with ordinary mail
};

Destination destination_of(const std::string& folded_domain, bool risk_pool, const Policy& policy);
Destination destination_of(const mail::Route& route, const Policy& policy);

}  // namespace relay::delivery
