// What stands in front of a message when it leaves: our trace and results, signatures and seal. All
// of it is made once, before the message becomes durable.
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "relay/base/task.hpp"
#include "relay/forward/planner.hpp"
#include "relay/inbound/acceptance.hpp"
#include "relay/ports/signer.hpp"

namespace relay::inbound {

/// Header fields, CRLF-terminated; see mail::AcceptedMessage.
struct Front {
  std::string trace_fields;
  std::string seal_fields;
  std::string rewritten_head;
};

/// The verdicts about the message, waited for if need be; nullopt: incoming mail is not verified.
base::Task<std::optional<forward::Evidence>> gather_evidence(Services& services,
                                                             const ArrivedMessage& arrived);

/// On top Authentication-Results (RFC 8601 §4.1), then Received, whom to complain to, the
/// operator's tag, and what signs the original header below (RFC 6376 §3.5). `evidence` may be
/// empty; then nothing is sealed and no results are given.
base::Task<std::expected<Front, ports::SignError>> make_front(
    Services& services, const ArrivedMessage& arrived, const forward::Plan& plan,
    const std::optional<forward::Evidence>& evidence, base::WallTime now);

}  // namespace relay::inbound
