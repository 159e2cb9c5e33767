// Copies held until their targets consent, and their release.
//
// A confirmation takes effect with a reload: the new policy is published first, then the queue is
// searched (release_confirmed()). A message that was coming in under the old policy meanwhile is
// checked again once it is durable (release_if_confirmed()). So one of the two finds every copy.
#pragma once

#include <cstdint>
#include <expected>

#include "relay/base/published.hpp"
#include "relay/base/task.hpp"
#include "relay/inbound/policy.hpp"
#include "relay/mail/message.hpp"
#include "relay/ports/spool_error.hpp"

namespace relay::ports {
class ConsentQueue;
}

namespace relay::inbound {

/// For a message that has just become durable: releases its copies whose targets have confirmed
/// since the message began to come in.
base::Task<> release_if_confirmed(ports::ConsentQueue& queue, const base::Published<Policy>& policy,
                                  mail::QueuedMessage& queued);

/// Releases all queued copies whose targets have confirmed; returns how many. The caller then wakes
/// delivery.
base::Task<std::expected<std::uint64_t, ports::SpoolError>> release_confirmed(
    ports::ConsentQueue& queue, const base::Published<Policy>& policy);

}  // namespace relay::inbound
