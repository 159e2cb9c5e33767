// Copies that wait for the consent of their targets, and how they go when it is given.
//
// A confirmation reaches us with a reload. The new policy is published first, then the queue is
// gone through; a message that was coming in meanwhile under the old policy is looked at again once
// it is durable. So it is found by one of the two, whichever came later.
#pragma once

#include <cstdint>
#include <expected>

#include "relay/base/published.hpp"
#include "relay/base/task.hpp"
#include "relay/inbound/policy.hpp"
#include "relay/mail/message.hpp"
#include "relay/ports/clock.hpp"
#include "relay/ports/consent_queue.hpp"

namespace relay::inbound {

/// Of a message that has just become durable: lets the copies go whose targets have confirmed
/// since it began to come in.
base::Task<> release_if_confirmed(ports::ConsentQueue& queue, const base::Published<Policy>& policy,
                                  const ports::Clock& clock, mail::QueuedMessage& queued);

/// Of all that is queued; how many copies were let go. Delivery is to be woken then.
base::Task<std::expected<std::uint64_t, ports::SpoolError>> release_confirmed(
    ports::ConsentQueue& queue, const base::Published<Policy>& policy);

}  // namespace relay::inbound
