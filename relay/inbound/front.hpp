// What stands in front of a message when it leaves: our trace and results, signatures and seal. All
// of it is made once, before the message becomes durable.
#pragma once

#include <expected>
#include <optional>

#include "relay/base/task.hpp"
#include "relay/inbound/judgement.hpp"

namespace relay::inbound {

/// On top Authentication-Results (RFC 8601 §4.1), then Received, whom to complain to, the
/// operator's tag, what signs the original header below (RFC 6376 §3.5), and the joint to it.
/// `evidence` may be empty; then nothing is sealed and no results are given.
base::Task<std::expected<Front, ports::SignError>> make_front(
    ports::Signer& signer, const Policy& policy, const JudgedMessage& message,
    const forward::Plan& plan, const std::optional<forward::Evidence>& evidence,
    base::WallTime now);

}  // namespace relay::inbound
