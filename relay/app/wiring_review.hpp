// What speaks against the configuration in force: thought over on the reload thread, told in the
// log, shown by `status`. Part of the composition root: names adapters.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "relay/app/configuration.hpp"
#include "relay/app/idle_thread.hpp"
#include "relay/app/wiring_certificate.hpp"
#include "relay/base/log.hpp"
#include "relay/net/tls_context.hpp"
#include "relay/ops/controls.hpp"
#include "relay/ports/clock.hpp"

namespace relay::app {

class ConfigReview {
 public:
  /// All outlive it.
  struct Uses {
    Configuration& configuration;
    const base::Published<net::TlsContext>& server_tls;
    const CertificateWatch& certificate_watch;
    IdleThread& idle;
    base::Log& log;
    const ports::Clock& clock;
  };

  explicit ConfigReview(Uses uses) : uses_(uses) {}

  /// Thinks over what is in force, logs what the log does not have yet, and keeps all of it with
  /// the configuration. `of_loader`: what the loader has said. One thread at a time; of a million
  /// aliases it takes a while.
  void think_over(std::vector<settings::Problem> of_loader);

  /// Thread-safe. The certificate is asked anew: time alone changes what is to be said of it.
  ops::ConfigWarnings warnings() const;

 private:
  const Uses uses_;
  std::set<std::string> logged_;
};

}  // namespace relay::app
