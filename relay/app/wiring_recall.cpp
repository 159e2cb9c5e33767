#include "relay/app/wiring_recall.hpp"

#include <algorithm>
#include <chrono>
#include <ranges>

#include "relay/app/await_blocking.hpp"
#include "relay/ports/intake_queue.hpp"
#include "relay/ports/store_report.hpp"

namespace relay::app {

void recall_unheard(const ports::StoreReport& queue, ports::IntakeQueue& intake,
                    const base::Executor& executor, const ports::Clock& clock,
                    inbound::ResendGuard& resends) {
  if (queue.clean) return;
  const base::WallTime now = clock.wall();
  const auto since_its_end = std::chrono::duration_cast<std::chrono::milliseconds>(
      now - std::min(now, queue.last_write.value_or(now)));
  const auto recent =
      await_blocking(executor, intake.accepted_within(since_its_end + inbound::ResendGuard::kMemory,
                                                      inbound::ResendGuard::kMaxEntries));
  if (!recent) return;  // the store has logged why; a duplicate is no loss
  for (const auto& message : std::views::reverse(*recent)) {  // the newest last, as they came
    resends.remember(message.resend_key, message.proof, clock.steady());
  }
}

}  // namespace relay::app
