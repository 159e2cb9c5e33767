// The operator's desk, and what the daemon says of itself.
#include <unistd.h>

#include "relay/app/await_blocking.hpp"
#include "relay/app/version.hpp"
#include "relay/app/wiring.hpp"
#include "relay/base/task.hpp"

namespace relay::app {

void Relay::open_desk() {
  desk_ = std::make_unique<ops::Desk>(
      ops::Controls{.queue = spool_->operators(),
                    .delivery = *scheduler_,
                    .clock = clock_,
                    .log = *log_,
                    .status = [this] { return status(); },
                    .reload = [this] { return reload(); },
                    .expire = [this] { return delivery_policy_.get()->retry.expire; }});
  admin_ = std::make_unique<ops::AdminEndpoint>(*desk_);
  scheduler_->metrics().add_to(metrics_);
  desk_->metrics().add_to(metrics_);
}

/// Before the first delivery: what the operator has paused must not leave.
void Relay::restore_pauses() {
  const auto executor = shards_.at(0).executor();
  const auto restored = await_blocking(executor, desk_->restore_pauses());
  if (!restored) {
    log_->write(std::move(base::Event("spool_trouble", clock_.wall(), base::Severity::Error)
                              .text("error", ports::describe(restored.error()))
                              .text("consequence", "pauses are not in force")));
  }
  base::spawn_supervised(executor, "pauses", desk_->keep_pauses());
}

ops::DaemonStatus Relay::status() const {
  const std::lock_guard lock(mutex_);
  const auto abuse = abuse_->totals();
  const auto checks = signer_->self_checks();
  const auto& ended = scheduler_->metrics().copies;
  return {.version = kVersion,
          .config_path = settings_->file,
          .config_hash = settings_->hash,
          .config_loaded_at = loaded_at_,
          .started_at = started_at_,
          .pid = ::getpid(),
          .sessions_open = acceptor_->sessions(),
          .deliveries_in_flight = scheduler_->totals().sessions,
          .items_in_memory = scheduler_->totals().copies,
          .crashed_tasks = base::crashed_tasks(),
          .log_lines_dropped = log_->dropped(),
          .stuck_tasks = watchdog_.found(),
          .bounces_taken = bounces_.totals().taken,
          .bounces_refused = bounces_.totals().refused,
          .bounces_throttled = bounces_.totals().throttled,
          .copies_delivered = ended.at(delivery::CopyEnd::Delivered).value(),
          .copies_bounced = ended.at(delivery::CopyEnd::Bounced).value(),
          .copies_suppressed = ended.at(delivery::CopyEnd::Suppressed).value(),
          .clients_listed = abuse.listed,
          .dns_list_failures = abuse.list_failures,
          .greylisted = abuse.greylisted,
          .greylist_passed = abuse.passed,
          .over_rate = abuse.over_rate,
          .self_checks = checks.done,
          .self_check_failures = checks.failed,
          .spool_poisoned = spool_->poisoned(),
          .draining = draining_,
          .warnings = warnings()};
}

}  // namespace relay::app
