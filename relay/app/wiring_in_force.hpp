// What is in force: the configuration and the certificate, which all threads read and a reload
// replaces, and who watches over them. Part of the composition root: names adapters.
#pragma once

#include <memory>
#include <optional>

#include "relay/app/configuration.hpp"
#include "relay/app/file_bounds.hpp"
#include "relay/app/given_sockets.hpp"
#include "relay/app/idle_thread.hpp"
#include "relay/app/wiring_certificate.hpp"
#include "relay/app/wiring_parts.hpp"
#include "relay/app/wiring_review.hpp"
#include "relay/base/log.hpp"
#include "relay/base/published.hpp"
#include "relay/net/tls_context.hpp"
#include "relay/ports/clock.hpp"

namespace relay::app {

class InForce {
 public:
  /// Log and clock outlive this object. `given`, `bounds`: see Relay::open(). Takes from `parts`
  /// what it needs.
  InForce(Parts& parts, GivenSockets given, FileBounds bounds, base::Log& log,
          const ports::Clock& clock);

  Configuration& configuration() { return configuration_; }

  const Configuration& configuration() const { return configuration_; }

  /// Separate from the settings, because it changes by itself. Null until there is a [tls]; kept
  /// when [tls] is removed, for sessions that were offered STARTTLS.
  base::Published<net::TlsContext>& server_tls() { return server_tls_; }

  CertificateWatch& certificate_watch() { return certificate_watch_; }

  const CertificateWatch& certificate_watch() const { return certificate_watch_; }

  ConfigReview& review() { return review_; }

  const ConfigReview& review() const { return review_; }

  /// As of this start, not changed by reloads.
  const review::ClassicBefore& classic_before() const { return classic_before_; }

  const GivenSockets& given() const { return given_; }

  const FileBounds& bounds() const { return bounds_; }

  /// For reading and freeing configurations. Precondition: end() was not called.
  IdleThread& idle() { return *idle_; }

  /// Ends the idle thread. Nothing is reviewed or replaced after that.
  void end() { idle_.reset(); }

 private:
  Configuration configuration_;
  const review::ClassicBefore classic_before_;
  const GivenSockets given_;
  const FileBounds bounds_;
  base::Published<net::TlsContext> server_tls_;
  CertificateWatch certificate_watch_;
  std::optional<IdleThread> idle_{std::in_place};
  ConfigReview review_;
};

}  // namespace relay::app
