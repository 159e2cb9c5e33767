#include "relay/inbound/host_troubles.hpp"

#include "relay/inbound/intake.hpp"

namespace relay::inbound {

std::optional<HostTrouble> HostTroubles::behind(const smtp::Reply& reply,
                                                base::SteadyTime now) const {
  const mail::EnhancedStatus& status = reply.status();
  // X.3.1 is a mail system that is full (RFC 3463 §3.4): its disk, or its memory. With 421 it goes
  // to a client that holds memory and sends nothing, so that nobody else is put off.
  if (reply.code() == 452 && status == mail::EnhancedStatus{4, 3, 1}) {
    const bool disk = reply.text() == reply_for(ports::SpoolError::Full).text();
    return disk ? HostTrouble::Disk : HostTrouble::Memory;
  }
  if (status == mail::EnhancedStatus{4, 3, 0}) return HostTrouble::Storage;
  if (status == mail::EnhancedStatus{4, 4, 3}) {
    const auto outage = resolver_.last_outage();
    if (outage && now - *outage <= kOutage) return HostTrouble::Dns;
  }
  return std::nullopt;
}

void HostTroubles::note(HostTrouble trouble, base::SteadyTime now) noexcept {
  Noted& noted = noted_[static_cast<std::size_t>(trouble)];
  noted.last.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  noted.times.fetch_add(1, std::memory_order_release);
}

HostTroubles::Count HostTroubles::of(HostTrouble trouble) const {
  const Noted& noted = noted_[static_cast<std::size_t>(trouble)];
  Count count{.times = noted.times.load(std::memory_order_acquire), .last = {}};
  if (count.times > 0) {
    count.last =
        base::SteadyTime(base::SteadyTime::duration(noted.last.load(std::memory_order_relaxed)));
  }
  return count;
}

}  // namespace relay::inbound
