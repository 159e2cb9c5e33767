// Relay::start(): begins everything in order.
#include "relay/app/await_blocking.hpp"
#include "relay/app/srs_check.hpp"
#include "relay/app/wiring.hpp"
#include "relay/app/wiring_recall.hpp"
#include "relay/app/wiring_start_log.hpp"
#include "relay/base/task.hpp"
#include "relay/inbound/consent.hpp"
#include "relay/ports/store_report.hpp"

namespace relay::app {

void Relay::start() {
  shards_.run();
  const auto executor = shards_.at(0).executor();
  recall_unheard(store_->report(), store_->intake(), executor, clock_, reception_->resends());
  restore_pauses();
  scheduler_->start();
  listeners_.apply(std::move(to_open_));
  reloader_->start();
  control_->start([this](std::unique_ptr<ports::Stream> stream) {
    base::spawn_supervised(shards_.at(0).executor(), "control session",
                           admin_->serve(std::move(stream)));
  });
  log_start(*log_, clock_.wall(), *in_force_.configuration().settings().get(), store_->report(),
            {.shards = shards_.size(),
             .landlock = in_force_.bounds().abi,
             .room = status_->lack_of_room()});
  follow_configuration();
}

void Relay::follow_configuration() {
  scheduler_->wake();
  release_confirmed();
  check_srs_domain(shards_.at(0).executor(), *resolver_, clock_, *log_,
                   in_force_.configuration().settings().get());
}

void Relay::release_confirmed() {
  const auto release = [](Relay& relay) -> base::Task<> {
    const auto released = co_await inbound::release_confirmed(
        relay.store_->consent(), relay.in_force_.configuration().inbound());
    if (!released || *released == 0) co_return;
    relay.log_->write(base::Event("confirmed", relay.clock_.wall())
                          .number("released", static_cast<std::int64_t>(*released)));
    relay.scheduler_->wake();
  };
  base::spawn_supervised(shards_.at(0).executor(), "release of confirmed", release(*this));
}

/// Call before the first delivery, so that paused mail does not leave.
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

}  // namespace relay::app
