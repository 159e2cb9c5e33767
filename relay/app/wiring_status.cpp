#include "relay/app/wiring_status.hpp"

#include <array>
#include <chrono>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "relay/app/version.hpp"
#include "relay/base/task.hpp"
#include "relay/settings/settings.hpp"

namespace relay::app {

std::optional<ops::HostTrouble> StatusReport::lack_of_room() const {
  const auto& queue = uses_.in_force.configuration().started_with().queue;
  const std::uint64_t free = uses_.store.free_octets();
  if (free >= queue.min_free) return std::nullopt;
  return ops::HostTrouble{
      .of = "disk",
      .text = fmt::format("{} MiB are left for the queue, less than queue.min_free = {} MiB: mail "
                          "is put off where the room within the queue does not do",
                          free >> 20U, queue.min_free >> 20U),
      .count = uses_.reception.refusals().troubles().of(inbound::HostTrouble::Disk).times,
      .last = {}};
}

std::vector<ops::HostTrouble> StatusReport::troubles() const {
  using inbound::HostTrouble;

  struct Kind {
    HostTrouble trouble;
    const char* of;
    const char* text;
  };

  static constexpr std::array<Kind, 5> kKinds{{
      {HostTrouble::Disk, "disk", "mail was put off: no room on the disk of the queue"},
      {HostTrouble::Storage, "storage", "mail was put off: the queue, or a part of us, failed"},
      {HostTrouble::Dns, "dns", "mail was put off: most questions to the DNS had no answer"},
      {HostTrouble::Memory, "memory",
       "mail was put off: too much of it at once, see limits.memory"},
      {HostTrouble::Descriptors, "descriptors",
       "connections were not taken: no descriptors left, see LimitNOFILE of the unit"},
  }};
  std::vector<ops::HostTrouble> found;
  const auto room = lack_of_room();
  if (room) found.push_back(*room);
  const base::SteadyTime now = uses_.clock.steady();
  for (const Kind& kind : kKinds) {
    const auto count = uses_.reception.refusals().troubles().of(kind.trouble);
    if (!count.lasts(now) || (kind.trouble == HostTrouble::Disk && room)) continue;
    // The wall clock may have been set since.
    const auto ago = std::chrono::floor<std::chrono::milliseconds>(now - *count.last);
    found.push_back(
        {.of = kind.of, .text = kind.text, .count = count.times, .last = uses_.clock.wall() - ago});
  }
  return found;
}

std::vector<std::string> StatusReport::needs_restart() const {
  auto keys = uses_.in_force.configuration().needs_restart();
  for (std::string& key : uses_.in_force.certificate_watch().needs_restart())
    keys.push_back(std::move(key));
  return keys;
}

ops::DaemonStatus StatusReport::now() const {
  const auto& configuration = uses_.in_force.configuration();
  const auto abuse = uses_.reception.abuse().totals();
  const auto checks = uses_.signer.self_checks();
  const auto bounces = uses_.reception.bounces().totals();
  const auto deliveries = uses_.scheduler.totals();
  const auto& ended = uses_.scheduler.metrics().copies;
  return {.version = kVersion,
          .config_path = configuration.started_with().file,
          .config_hash = configuration.settings().get()->hash,
          .config_loaded_at = configuration.loaded_at(),
          .started_at = started_at_,
          .pid = ::getpid(),
          .sessions_open = uses_.reception.acceptor().sessions(),
          .deliveries_in_flight = deliveries.at_work,
          .connections_kept = deliveries.idle,
          .items_in_memory = deliveries.copies,
          .crashed_tasks = base::crashed_tasks(),
          .log_lines_dropped = uses_.log.dropped(),
          .stuck_tasks = uses_.watchdog.found(),
          .bounces_taken = bounces.taken,
          .bounces_refused = bounces.refused,
          .bounces_throttled = bounces.throttled,
          .content_refused = uses_.reception.refusals().malformed(),
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
          .spool_poisoned = uses_.store.poisoned(),
          .draining = uses_.draining,
          .needs_restart = needs_restart(),
          .troubles = troubles(),
          .warnings = uses_.in_force.review().warnings()};
}

}  // namespace relay::app
