// The forwarding rules of the test house.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "relay/inbound/policy.hpp"

namespace relay::inbound {

/// Planner and loop guard for mx.example.org; hostname and limits left to the caller.
Policy test_policy_base();

/// The same planner where targets must confirm: these have ("local@domain" or "@domain").
std::shared_ptr<const forward::Planner> consenting_planner(
    const std::vector<std::string>& confirmed);

}  // namespace relay::inbound
