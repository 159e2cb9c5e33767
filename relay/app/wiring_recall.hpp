// What a start recalls of the previous run. Part of the composition root: names adapters.
#pragma once

#include "relay/base/task.hpp"
#include "relay/inbound/resend_guard.hpp"
#include "relay/ports/clock.hpp"

namespace relay::ports {
class IntakeQueue;
struct StoreReport;
}  // namespace relay::ports

namespace relay::app {

/// After a crash it is unknown which clients received their final replies: recalls the last
/// messages, so that a client that sends one of them again gets the old answer. Does nothing after
/// an orderly end. Blocks; `executor` must be running.
void recall_unheard(const ports::StoreReport& queue, ports::IntakeQueue& intake,
                    const base::Executor& executor, const ports::Clock& clock,
                    inbound::ResendGuard& resends);

}  // namespace relay::app
