// The fields in front of a message when it leaves: Received, results, signatures and seal. They are
// made once, before the message becomes durable.
#pragma once

#include <expected>
#include <optional>

#include "relay/base/task.hpp"
#include "relay/inbound/judgement.hpp"

namespace relay::inbound {

/// From the top: Authentication-Results (RFC 8601 §4.1), Received, the contact for complaints, the
/// operator's tag, the signatures of the original header below (RFC 6376 §3.5), and
/// ContentReader::joint(). Without `evidence` there are no results and no seal.
base::Task<std::expected<Front, ports::SignError>> make_front(
    ports::Signer& signer, const Policy& policy, const JudgedMessage& message,
    const forward::Plan& plan, const std::optional<forward::Evidence>& evidence,
    base::WallTime now);

}  // namespace relay::inbound
