// The first lines of a run in the log. Part of the composition root: names adapters.
#pragma once

#include <cstddef>
#include <optional>

#include "relay/base/log.hpp"
#include "relay/ops/controls.hpp"
#include "relay/settings/settings.hpp"
#include "relay/spool/sqlite_spool.hpp"

namespace relay::app {

struct HostFacts {
  std::size_t shards = 0;
  int landlock = 0;                      ///< its version in force; 0: none
  std::optional<ops::HostTrouble> room;  ///< too little of it for the queue
};

/// What starts and on what, and what is unusual about it: no Landlock, no room, SRS secrets whose
/// classic tags are taken for a while after an upgrade.
void log_start(base::Log& log, base::WallTime now, const settings::Settings& settings,
               const spool::OpenReport& queue, const HostFacts& host);

}  // namespace relay::app
