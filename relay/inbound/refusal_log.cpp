#include "relay/inbound/refusal_log.hpp"

#include <utility>

namespace relay::inbound {

void RefusalLog::write(const base::Origin& origin, base::Event event, base::SteadyTime now) {
  if (rates_.take(origin, kRate, now)) {
    log_.write(std::move(event));
    return;
  }
  const std::lock_guard lock(mutex_);
  const bool room = suppressed_.size() < kMaxNetworks || suppressed_.contains(origin.network);
  ++suppressed_[room ? origin.network : "others"];
}

void RefusalLog::tell_suppressed(base::WallTime now) {
  std::map<std::string, std::int64_t> suppressed;
  {
    const std::lock_guard lock(mutex_);
    suppressed.swap(suppressed_);
  }
  for (const auto& [network, lines] : suppressed) {
    log_.write(std::move(base::Event("suppressed", now, base::Severity::Warning)
                             .text("of", "rejected")
                             .text("network", network)
                             .number("lines", lines)));
  }
}

}  // namespace relay::inbound
