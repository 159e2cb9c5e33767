// Whether the world can answer what we send under the SRS domain, asked while we run.
#pragma once

#include <memory>

#include "relay/base/log.hpp"
#include "relay/base/task.hpp"
#include "relay/ports/clock.hpp"
#include "relay/ports/resolver.hpp"
#include "relay/settings/settings.hpp"

namespace relay::app {

/// Asks DNS in the background; the answer goes to the log. All references outlive the executor.
void check_srs_domain(const base::Executor& executor, ports::Resolver& resolver,
                      const ports::Clock& clock, base::Log& log,
                      std::shared_ptr<const settings::Settings> settings);

}  // namespace relay::app
