// What the operator's verbs act on. The composition root fills it in; this room does not know
// sessions or deliveries.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "relay/base/log.hpp"
#include "relay/base/task.hpp"
#include "relay/ports/clock.hpp"
#include "relay/ports/delivery_control.hpp"
#include "relay/ports/queue_filter.hpp"
#include "relay/ports/stream.hpp"

namespace relay::ports {
class OperatorQueue;
}

namespace relay::ops {

/// The local user who asked; nullopt: unknown, or a signal.
using Asker = std::optional<ports::LocalUser>;

/// A finding about the configuration, which is in force nevertheless.
struct ConfigWarning {
  std::string file;
  std::uint64_t line = 0;  ///< 0: the whole file
  std::uint64_t column = 0;
  std::string text;
  std::string hint;   ///< what to do, or ""
  std::string check;  ///< name of the check, or ""
};

/// The first warnings; `check` shows all.
struct ConfigWarnings {
  std::vector<ConfigWarning> shown;
  std::uint64_t in_all = 0;
};

struct ReloadResult {
  bool applied = false;
  std::vector<std::string> problems;       ///< rendered, one per finding; why the reload failed
  std::vector<std::string> needs_restart;  ///< changed keys that only a start reads
  ConfigWarnings warnings;
};

/// A condition that keeps this host from accepting mail: full disk, resolver without answer, no
/// memory, no descriptors.
struct HostTrouble {
  std::string of;    ///< "disk", "storage", "dns", "memory", "descriptors"
  std::string text;  ///< a sentence
  std::uint64_t count = 0;
  std::optional<base::WallTime> last;  ///< nullopt: the condition holds now
};

/// The daemon's own state, as `status` shows it.
struct DaemonStatus {
  std::string version;
  std::string config_path;
  std::string config_hash;
  base::WallTime config_loaded_at;
  base::WallTime started_at;
  std::int64_t pid = 0;
  std::uint64_t sessions_open = 0;
  std::uint64_t deliveries_in_flight = 0;  ///< sessions to next hops that have mail to deliver
  std::uint64_t connections_kept = 0;      ///< … that have none and stay open for more
  std::uint64_t items_in_memory = 0;
  std::uint64_t crashed_tasks = 0;
  std::uint64_t log_lines_dropped = 0;
  std::uint64_t stuck_tasks = 0;          ///< older than all their deadlines, which is a defect
  std::uint64_t bounces_taken = 0;        ///< mail to SRS addresses of ours
  std::uint64_t bounces_refused = 0;      ///< … with an invalid address
  std::uint64_t bounces_throttled = 0;    ///< … deferred by a limit
  std::uint64_t content_refused = 0;      ///< messages refused for their form or size
  std::uint64_t copies_delivered = 0;     ///< since the start, as are the two below
  std::uint64_t copies_bounced = 0;       ///< failed, with a DSN to the sender
  std::uint64_t copies_suppressed = 0;    ///< failed, with a line in the log and no DSN
  std::uint64_t clients_listed = 0;       ///< refusals because of DNS lists
  std::uint64_t dns_list_failures = 0;    ///< … lookups that failed; the mail was accepted
  std::uint64_t greylisted = 0;           ///< recipients deferred by greylisting
  std::uint64_t greylist_passed = 0;      ///< … that came again after the delay
  std::uint64_t over_rate = 0;            ///< recipients or messages deferred by a rate limit
  std::uint64_t self_checks = 0;          ///< messages whose own signatures were verified
  std::uint64_t self_check_failures = 0;  ///< … and were wrong, which is a defect
  bool spool_poisoned = false;
  bool draining = false;
  std::vector<std::string> needs_restart;  ///< changed keys that only a start reads
  std::vector<HostTrouble> troubles;       ///< why mail is deferred now; each needs attention
  ConfigWarnings warnings;
};

struct Controls {
  ports::OperatorQueue& queue;
  ports::DeliveryControl& delivery;
  ports::Clock& clock;
  base::Log& log;
  std::function<DaemonStatus()> status;
  std::function<base::Task<ReloadResult>(Asker)> reload;
  std::function<std::chrono::seconds()> expire;  ///< how long delivery is tried, as configured now
  /// The hosts of the group of that name, as configured now; empty: no group has that name.
  std::function<std::vector<ports::HostEnd>(std::string_view name)> hosts_of_group;
};

}  // namespace relay::ops
