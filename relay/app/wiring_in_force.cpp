#include "relay/app/wiring_in_force.hpp"

#include <utility>

#include "relay/settings/problem.hpp"
#include "relay/settings/settings.hpp"

namespace relay::app {

InForce::InForce(Parts& parts, GivenSockets given, FileBounds bounds, base::Log& log,
                 const ports::Clock& clock)
    : configuration_(std::move(*parts.policies), std::move(parts.problems), clock.wall()),
      classic_before_(std::move(parts.classic_before)),
      given_(std::move(given)),
      bounds_(std::move(bounds)),
      server_tls_(std::move(parts.server_tls)),
      certificate_watch_(server_tls_, log, bounds_),
      review_({.configuration = configuration_,
               .server_tls = server_tls_,
               .certificate_watch = certificate_watch_,
               .idle = *idle_,
               .log = log,
               .clock = clock}) {
  certificate_watch_.watch(to_be_watched(configuration_.started_with().tls));
}

}  // namespace relay::app
