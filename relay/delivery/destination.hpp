// The route of a lane, by the current policy.
#pragma once

#include <string>
#include <vector>

#include "relay/delivery/policy.hpp"
#include "relay/mail/message.hpp"
#include "relay/ports/lane_key.hpp"

namespace relay::delivery {

struct Destination {
  ports::LaneKey lane;
  std::vector<forward::NextHop> hops;  ///< from a [[route]]; empty: by MX
};

ports::LaneKey lane_of(const mail::Route& route);

Destination destination_of(const ports::LaneKey& lane, const Policy& policy);

}  // namespace relay::delivery
