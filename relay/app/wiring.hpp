// The composition root: the only place that names concrete adapters. Builds them once, in order,
// and hands references down; the order of the members is the order of shutdown, last first.
#pragma once

#include <expected>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "relay/app/log_sink.hpp"
#include "relay/app/wiring_certificate.hpp"
#include "relay/app/wiring_parts.hpp"
#include "relay/base/published.hpp"
#include "relay/delivery/scheduler.hpp"
#include "relay/dns/unbound_resolver.hpp"
#include "relay/inbound/acceptor.hpp"
#include "relay/net/control_listener.hpp"
#include "relay/net/inherited_sockets.hpp"
#include "relay/net/listener.hpp"
#include "relay/net/pool_dialer.hpp"
#include "relay/net/shard.hpp"
#include "relay/net/system_clock.hpp"
#include "relay/net/tls_acceptor.hpp"
#include "relay/net/tls_context.hpp"
#include "relay/ops/admin_endpoint.hpp"
#include "relay/ops/desk.hpp"
#include "relay/spool/sqlite_spool.hpp"

namespace relay::app {

class Relay {
 public:
  /// Opens everything: log, queue, resolver, sockets. Nothing is accepted or delivered before
  /// start(). The error is a sentence for the operator.
  /// Precondition: parts.can_start().
  static std::expected<std::unique_ptr<Relay>, std::string> open(Parts parts);
  ~Relay();

  void start();

  /// Reads the configuration again and swaps everything it can, or nothing.
  ops::ReloadResult reload();

  /// Stops accepting, lets sessions and deliveries end, closes the queue. Blocks up to `patience`
  /// for each of the two.
  void stop(std::chrono::seconds patience);

  /// For the main thread, about once a second: tells what is stuck and what was not logged, and
  /// takes a certificate that was renewed. False: a shard has not answered for long.
  bool tend();

  /// The log goes on in the file of its name, as after it was moved away; reload() does that, too.
  void reopen_log();

  /// The storage failed: nothing more can be promised.
  bool poisoned() const { return spool_->poisoned(); }

  base::Log& log() { return *log_; }

 private:
  explicit Relay(Parts parts);

  std::expected<void, std::string> open_parts();
  std::expected<void, std::string> remember_upgrade();
  void open_tls();
  std::expected<void, std::string> open_delivery();
  void open_inbound();
  void open_desk();
  std::expected<void, std::string> open_listeners();
  ops::DaemonStatus status() const;
  /// What is in force. Precondition: mutex_ is held, or nobody else is there yet.
  Policies policies() const;
  /// Thinks a configuration over, logs what speaks against it, and remembers which SRS secrets it
  /// has. All that is known of it now, with what the loader has said.
  std::vector<settings::Problem> review(const Policies& policies,
                                        std::vector<settings::Problem> of_loader);
  void review_at_start();
  /// Precondition: mutex_ is held.
  ops::ConfigWarnings warnings() const;
  /// Asks DNS about the SRS domain, in the background; the answer goes to the log.
  void check_srs_domain(std::shared_ptr<const settings::Settings> settings);
  /// Lets go, in the background, what was held for targets that have confirmed.
  void release_confirmed();
  void log_start();
  void log_classic_secrets();
  void recall_unheard();
  void restore_pauses();

  net::SystemClock clock_;
  std::shared_ptr<const settings::Settings> settings_;  ///< replaced by reload() under mutex_
  mutable std::mutex mutex_;
  base::WallTime loaded_at_;
  base::WallTime started_at_;
  bool draining_ = false;
  const review::ClassicBefore classic_before_;  ///< of this start, whatever is reloaded
  std::vector<settings::Problem> warnings_;     ///< under mutex_; the certificate is asked anew
  std::mutex review_mutex_;                     ///< taken after mutex_, where both are
  std::set<std::string> logged_warnings_;       ///< under review_mutex_
  base::Published<inbound::Policy> inbound_policy_;
  base::Published<delivery::Policy> delivery_policy_;
  base::Published<auth::SigningKeys> signing_keys_;
  std::shared_ptr<const Redaction> redaction_;  ///< for the log, until it is open

  std::unique_ptr<LogSink> log_;
  std::unique_ptr<spool::SqliteSpool> spool_;
  std::unique_ptr<auth::OpensslSigner> signer_;
  std::shared_ptr<const net::TlsContext> server_certificate_;  ///< until there is server_tls_
  std::unique_ptr<base::Published<net::TlsContext>> server_tls_;
  std::unique_ptr<CertificateWatch> certificate_watch_;  ///< as server_tls_
  std::unique_ptr<net::OpensslAcceptor> tls_acceptor_;
  net::ClientTls client_tls_;
  std::unique_ptr<inbound::ByteBudget> budget_;
  inbound::BounceGuard bounces_;
  inbound::ResendGuard resends_;
  std::unique_ptr<inbound::RefusalLog> refusals_;
  inbound::WasteGuard waste_;
  inbound::Handshakes handshakes_;
  base::Watchdog watchdog_;
  base::SteadyTime next_suppressed_;  ///< main thread only
  std::unique_ptr<delivery::Scheduler> scheduler_;
  std::unique_ptr<inbound::AbuseControl> abuse_;
  std::unique_ptr<inbound::Services> inbound_services_;
  std::unique_ptr<inbound::Acceptor> acceptor_;
  std::unique_ptr<ops::Desk> desk_;
  std::unique_ptr<ops::AdminEndpoint> admin_;
  base::Registry metrics_;
  // Destroying the loops destroys what coroutines were left, which use everything above.
  net::ShardPool shards_;
  std::unique_ptr<dns::UnboundResolver> resolver_;
  std::unique_ptr<net::PoolDialer> dialer_;
  std::vector<std::unique_ptr<net::Listener>> listeners_;
  std::unique_ptr<net::ControlListener> control_;
};

}  // namespace relay::app
