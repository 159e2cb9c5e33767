// What the operator's verbs can reach. The composition root fills it in; this room knows neither
// sessions nor deliveries.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "relay/base/log.hpp"
#include "relay/base/task.hpp"
#include "relay/ports/clock.hpp"
#include "relay/ports/delivery_control.hpp"
#include "relay/ports/operator_queue.hpp"
#include "relay/ports/stream.hpp"

namespace relay::ops {

/// Who wants something done; nullopt: nobody knows, or a signal did it.
using Asker = std::optional<ports::LocalUser>;

/// What speaks against the configuration: it is in force all the same.
struct ConfigWarning {
  std::string file;
  std::uint64_t line = 0;  ///< 0: the file as a whole
  std::uint64_t column = 0;
  std::string text;
  std::string hint;   ///< what to do, or ""
  std::string check;  ///< its name, or ""
};

/// The first ones; `check` has all.
struct ConfigWarnings {
  std::vector<ConfigWarning> shown;
  std::uint64_t in_all = 0;
};

struct ReloadResult {
  bool applied = false;
  std::vector<std::string> problems;       ///< rendered, one per finding; why it was not applied
  std::vector<std::string> needs_restart;  ///< keys that differ from what runs: at the next start
  ConfigWarnings warnings;
};

/// What keeps this host from taking mail: a full disk, a resolver that does not answer, no memory.
struct HostTrouble {
  std::string of;    ///< "disk", "dns", "memory", "storage"
  std::string text;  ///< a sentence
  std::uint64_t count = 0;
  std::optional<base::WallTime> last;  ///< nullopt: it holds at this moment
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
  std::uint64_t deliveries_in_flight = 0;
  std::uint64_t items_in_memory = 0;
  std::uint64_t crashed_tasks = 0;
  std::uint64_t log_lines_dropped = 0;
  std::uint64_t stuck_tasks = 0;          ///< older than all their deadlines: a defect
  std::uint64_t bounces_taken = 0;        ///< to SRS addresses of ours
  std::uint64_t bounces_refused = 0;      ///< … that were invalid
  std::uint64_t bounces_throttled = 0;    ///< … put off by a limit
  std::uint64_t copies_delivered = 0;     ///< since the start, with the two below
  std::uint64_t copies_bounced = 0;       ///< failed, with a DSN to the sender
  std::uint64_t copies_suppressed = 0;    ///< failed, with a line in the log and no DSN
  std::uint64_t clients_listed = 0;       ///< refusals because of lists in the DNS
  std::uint64_t dns_list_failures = 0;    ///< … that did not answer: mail flows
  std::uint64_t greylisted = 0;           ///< recipients put off
  std::uint64_t greylist_passed = 0;      ///< … who came again after the delay
  std::uint64_t over_rate = 0;            ///< recipients, or messages, put off by a rate
  std::uint64_t self_checks = 0;          ///< messages whose signatures of ours were verified
  std::uint64_t self_check_failures = 0;  ///< … and did not hold: a defect
  bool spool_poisoned = false;
  bool draining = false;
  std::vector<std::string> needs_restart;  ///< keys whose values in force are those of the start
  std::vector<HostTrouble> troubles;       ///< what puts mail off now: each one needs somebody
  ConfigWarnings warnings;
};

struct Controls {
  ports::OperatorQueue& queue;
  ports::DeliveryControl& delivery;
  ports::Clock& clock;
  base::Log& log;
  std::function<DaemonStatus()> status;
  std::function<base::Task<ReloadResult>(Asker)> reload;
  std::function<std::chrono::seconds()> expire;  ///< how long a copy is tried, as configured now
};

}  // namespace relay::ops
