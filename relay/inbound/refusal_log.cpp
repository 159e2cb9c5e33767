#include "relay/inbound/refusal_log.hpp"

#include <utility>

namespace relay::inbound {

void RefusalLog::write(const std::string& network, base::Event event, base::SteadyTime now) {
  if (rates_.take(network, kRate, now)) {
    log_.write(std::move(event));
    return;
  }
  const std::lock_guard lock(mutex_);
  const bool room = suppressed_.size() < kMaxNetworks || suppressed_.contains(network);
  ++suppressed_[room ? network : "others"];
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
