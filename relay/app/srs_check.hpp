// Checks the SRS domain in the DNS while the daemon runs.
#pragma once

#include <memory>

#include "relay/base/log.hpp"
#include "relay/base/task.hpp"
#include "relay/ports/clock.hpp"
#include "relay/ports/resolver.hpp"

namespace relay::settings {
struct Settings;
}

namespace relay::app {

/// Starts the check in the background; the result is logged. All references must outlive the
/// executor.
void check_srs_domain(const base::Executor& executor, ports::Resolver& resolver,
                      const ports::Clock& clock, base::Log& log,
                      std::shared_ptr<const settings::Settings> settings);

}  // namespace relay::app
