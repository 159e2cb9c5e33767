// The operator's desk, and what the daemon says of itself.
#include <array>
#include <chrono>

#include <fmt/format.h>
#include <unistd.h>

#include "relay/app/await_blocking.hpp"
#include "relay/app/version.hpp"
#include "relay/app/wiring.hpp"
#include "relay/base/task.hpp"
#include "relay/spool/spool_folder.hpp"

namespace relay::app {

namespace {

constexpr std::chrono::minutes kTroubleSpan{10};

base::Task<ops::ReloadResult> awaited_reload(Relay& relay, ops::Asker asker) {
  co_return co_await base::await_answer<ops::ReloadResult>(
      [&](auto resume) { relay.reload(std::move(asker), std::move(resume)); });
}

}  // namespace

void Relay::open_desk() {
  desk_ = std::make_unique<ops::Desk>(ops::Controls{
      .queue = spool_->operators(),
      .delivery = *scheduler_,
      .clock = clock_,
      .log = *log_,
      .status = [this] { return status(); },
      .reload = [this](ops::Asker asker) { return awaited_reload(*this, std::move(asker)); },
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

std::optional<ops::HostTrouble> Relay::lack_of_room() const {
  const std::uint64_t free = spool::free_octets(started_with_->queue.path);
  const std::uint64_t least = started_with_->queue.min_free;
  if (free >= least) return std::nullopt;
  return ops::HostTrouble{
      .of = "disk",
      .text = fmt::format("{} MiB are left for the queue, less than queue.min_free = {} MiB: mail "
                          "is put off where the room within the queue does not do",
                          free >> 20U, least >> 20U),
      .count = refusals_->troubles().of(inbound::HostTrouble::Disk).times,
      .last = {}};
}

std::vector<ops::HostTrouble> Relay::troubles() const {
  using inbound::HostTrouble;

  struct Kind {
    HostTrouble trouble;
    const char* of;
    const char* text;
  };

  static constexpr std::array<Kind, 4> kKinds{{
      {HostTrouble::Disk, "disk", "mail was put off: no room on the disk of the queue"},
      {HostTrouble::Storage, "storage", "mail was put off: the queue, or a part of us, failed"},
      {HostTrouble::Dns, "dns", "mail was put off: most questions to the DNS had no answer"},
      {HostTrouble::Memory, "memory",
       "mail was put off: too much of it at once, see limits.memory"},
  }};
  std::vector<ops::HostTrouble> found;
  const auto room = lack_of_room();
  if (room) found.push_back(*room);
  const auto outage = resolver_->last_outage();
  const bool was_out = outage && clock_.steady() - *outage < kTroubleSpan;
  for (const Kind& kind : kKinds) {
    const auto count = refusals_->troubles().of(kind.trouble);
    if (!count.last || clock_.wall() - *count.last > kTroubleSpan) continue;
    if (kind.trouble == HostTrouble::Disk && room) continue;
    // One sender's dead name servers are not ours.
    if (kind.trouble == HostTrouble::Dns && !was_out) continue;
    found.push_back({.of = kind.of, .text = kind.text, .count = count.times, .last = count.last});
  }
  return found;
}

ops::DaemonStatus Relay::status() const {
  const std::lock_guard lock(mutex_);
  const auto abuse = abuse_->totals();
  const auto checks = signer_->self_checks();
  const auto& ended = scheduler_->metrics().copies;
  return {.version = kVersion,
          .config_path = started_with_->file,
          .config_hash = settings_.get()->hash,
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
          .needs_restart = needs_restart_,
          .troubles = troubles(),
          .warnings = warnings()};
}

}  // namespace relay::app
