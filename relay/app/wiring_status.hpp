// The status of the daemon. Part of the composition root: names adapters.
#pragma once

#include <atomic>
#include <optional>
#include <vector>

#include "relay/app/log_sink.hpp"
#include "relay/app/wiring_in_force.hpp"
#include "relay/app/wiring_reception.hpp"
#include "relay/auth/openssl_signer.hpp"
#include "relay/delivery/scheduler.hpp"
#include "relay/ops/controls.hpp"
#include "relay/ports/clock.hpp"
#include "relay/ports/store.hpp"

namespace relay::app {

/// Thread-safe.
class StatusReport {
 public:
  /// All must outlive the report.
  struct Uses {
    const InForce& in_force;
    const Reception& reception;
    const ports::Clock& clock;
    const LogSink& log;
    const ports::Store& store;
    const auth::OpensslSigner& signer;
    const delivery::Scheduler& scheduler;
    const base::Watchdog& watchdog;
    const std::atomic<bool>& draining;
  };

  explicit StatusReport(Uses uses) : uses_(uses), started_at_(uses.clock.wall()) {}

  ops::DaemonStatus now() const;

  /// Whether the queue's disk has too little room now.
  std::optional<ops::HostTrouble> lack_of_room() const;

 private:
  std::vector<std::string> needs_restart() const;
  /// What keeps us from accepting mail, now or within the last ten minutes.
  std::vector<ops::HostTrouble> troubles() const;

  const Uses uses_;
  const base::WallTime started_at_;
};

}  // namespace relay::app
