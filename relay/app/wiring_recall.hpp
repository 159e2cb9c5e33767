// What a start knows of the run before it. Part of the composition root: names adapters.
#pragma once

#include "relay/base/task.hpp"
#include "relay/inbound/resend_guard.hpp"
#include "relay/ports/clock.hpp"
#include "relay/ports/intake_queue.hpp"
#include "relay/spool/sqlite_spool.hpp"

namespace relay::app {

/// Whether the final replies of a run that was cut off were heard nobody can know any more: who
/// sends one of its last messages again is answered as before. An orderly end leaves no doubt.
/// Blocks; `executor` runs.
void recall_unheard(const spool::OpenReport& queue, ports::IntakeQueue& intake,
                    const base::Executor& executor, const ports::Clock& clock,
                    inbound::ResendGuard& resends);

}  // namespace relay::app
