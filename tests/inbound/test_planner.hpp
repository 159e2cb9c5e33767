// The forwarding rules of the test house.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "relay/inbound/policy.hpp"

namespace relay::inbound {

/// Of the addresses at srs.example.org.
inline constexpr const char* kTestSecret = "v7Qm2xWc9RtLz4HfJ8sNbYp3KdGa6EuX";

/// Planner and loop guard for mx.example.org; hostname and limits left to the caller.
Policy test_policy_base();

/// The same planner where copies name their alias.
std::shared_ptr<const forward::Planner> marking_planner(mail::AliasMark mark);

/// The same planner where targets must confirm: these have ("local@domain" or "@domain").
std::shared_ptr<const forward::Planner> consenting_planner(
    const std::vector<std::string>& confirmed);

}  // namespace relay::inbound
