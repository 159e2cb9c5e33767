#include "relay/app/turned_away.hpp"

#include <new>

#include <sys/resource.h>

namespace relay::app {

void TurnedAway::note(inbound::HostTrouble lack) noexcept {
  const base::SteadyTime now = clock_.steady();
  troubles_.note(lack, now);
  untold_.fetch_add(1, std::memory_order_relaxed);
  auto next = next_line_.load();
  const auto then = (now + kBetweenLines).time_since_epoch().count();
  // Only one of several shards writes the line.
  if (now.time_since_epoch().count() < next || !next_line_.compare_exchange_strong(next, then)) {
    return;
  }
  try {
    tell(lack, untold_.exchange(0));
  } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): it stays counted
  }
}

void TurnedAway::tell(inbound::HostTrouble lack, std::uint64_t pauses) {
  base::Event event("turned_away", clock_.wall(), base::Severity::Warning);
  if (lack == inbound::HostTrouble::Descriptors) {
    event.text("problem", "no descriptors left, see LimitNOFILE of the unit");
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
      event.number("descriptors", static_cast<std::int64_t>(limit.rlim_cur));
    }
  } else {
    event.text("problem", "no memory left");
  }
  event.text("consequence", "new connections hear 421 or wait")
      .number("pauses", static_cast<std::int64_t>(pauses));
  log_.write(std::move(event));
}

}  // namespace relay::app
