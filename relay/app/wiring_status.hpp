// The status of the daemon. Part of the composition root: names adapters.
#pragma once

#include <atomic>
#include <optional>
#include <vector>

#include "relay/app/configuration.hpp"
#include "relay/app/log_sink.hpp"
#include "relay/app/wiring_certificate.hpp"
#include "relay/app/wiring_review.hpp"
#include "relay/auth/openssl_signer.hpp"
#include "relay/delivery/scheduler.hpp"
#include "relay/inbound/abuse_control.hpp"
#include "relay/inbound/acceptor.hpp"
#include "relay/inbound/bounce_guard.hpp"
#include "relay/inbound/refusal_log.hpp"
#include "relay/ops/controls.hpp"
#include "relay/ports/clock.hpp"
#include "relay/spool/sqlite_spool.hpp"

namespace relay::app {

/// Thread-safe.
class StatusReport {
 public:
  /// All must outlive the report.
  struct Uses {
    const Configuration& configuration;
    const ConfigReview& review;
    const CertificateWatch& certificate_watch;
    const ports::Clock& clock;
    const LogSink& log;
    const spool::SqliteSpool& spool;
    const auth::OpensslSigner& signer;
    const delivery::Scheduler& scheduler;
    const inbound::Acceptor& acceptor;
    const inbound::AbuseControl& abuse;
    const inbound::BounceGuard& bounces;
    const inbound::RefusalLog& refusals;
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
