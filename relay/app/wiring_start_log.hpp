// The first log lines of a run. Part of the composition root: names adapters.
#pragma once

#include <cstddef>
#include <optional>

#include "relay/base/log.hpp"
#include "relay/ops/controls.hpp"

namespace relay::ports {
struct StoreReport;
}

namespace relay::settings {
struct Settings;
}

namespace relay::app {

struct HostFacts {
  std::size_t shards = 0;
  int landlock = 0;                      ///< version of Landlock in force; 0: none
  std::optional<ops::HostTrouble> room;  ///< set if the disk has too little room for the queue
};

/// Adds what these settings make the relay do: "addresses" it listens on, whether it offers "tls",
/// and the number of "domains" and "aliases" of their own.
void tell_extent(base::Event& event, const settings::Settings& settings);

/// Logs what starts and on which host, and what is unusual: no Landlock, too little room, SRS
/// secrets whose classic tags are accepted for a while after an upgrade.
void log_start(base::Log& log, base::WallTime now, const settings::Settings& settings,
               const ports::StoreReport& queue, const HostFacts& host);

}  // namespace relay::app
