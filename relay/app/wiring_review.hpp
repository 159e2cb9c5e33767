// Doubts about the configuration in force: found on the reload thread, logged, and shown by
// `status`. Part of the composition root: names adapters.
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
  /// All must outlive the review.
  struct Uses {
    Configuration& configuration;
    const base::Published<net::TlsContext>& server_tls;
    const CertificateWatch& certificate_watch;
    IdleThread& idle;
    base::Log& log;
    const ports::Clock& clock;
  };

  explicit ConfigReview(Uses uses) : uses_(uses) {}

  /// Reviews the configuration in force, logs warnings that have not been logged before, and stores
  /// all of them with the configuration. `of_loader`: the loader's warnings. One thread at a time;
  /// takes a while with a million aliases.
  void think_over(std::vector<settings::Problem> of_loader);

  /// Thread-safe. The certificate is checked each time, because its warnings change with time.
  ops::ConfigWarnings warnings() const;

 private:
  const Uses uses_;
  std::set<std::string> logged_;
};

}  // namespace relay::app
