// The forwarding rules of the test house.
#pragma once

#include "relay/inbound/policy.hpp"

namespace relay::inbound {

/// Planner and loop guard for mx.example.org; hostname and limits left to the caller.
Policy test_policy_base();

}  // namespace relay::inbound
