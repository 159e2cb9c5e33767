// The composition root: the only place that names concrete adapters. Builds them once, in order,
// and passes on references. Members are destroyed in reverse order. What a reload replaces is in
// InForce; this is what runs.
#pragma once

#include <atomic>
#include <expected>
#include <memory>
#include <string>

#include "relay/app/file_bounds.hpp"
#include "relay/app/log_sink.hpp"
#include "relay/app/seams.hpp"
#include "relay/app/wiring_in_force.hpp"
#include "relay/app/wiring_listeners.hpp"
#include "relay/app/wiring_parts.hpp"
#include "relay/app/wiring_reception.hpp"
#include "relay/app/wiring_reload.hpp"
#include "relay/app/wiring_status.hpp"
#include "relay/delivery/scheduler.hpp"
#include "relay/dns/unbound_resolver.hpp"
#include "relay/net/control_listener.hpp"
#include "relay/net/inherited_sockets.hpp"
#include "relay/net/pool_dialer.hpp"
#include "relay/net/shard.hpp"
#include "relay/net/system_clock.hpp"
#include "relay/net/tls_acceptor.hpp"
#include "relay/ops/admin_endpoint.hpp"
#include "relay/ops/desk.hpp"
#include "relay/ports/store.hpp"

namespace relay::app {

class Relay {
 public:
  /// Opens log, queue, resolver and sockets. Nothing is accepted or delivered before start(). The
  /// error is a sentence for the operator. Precondition: parts.can_start(). `given`: the sockets of
  /// systemd that `parts` was made with. `bounds`: those in force. `seams` must outlive the relay.
  static std::expected<std::unique_ptr<Relay>, std::string> open(Parts parts,
                                                                 net::InheritedSockets given,
                                                                 FileBounds bounds,
                                                                 const Seams& seams);
  ~Relay();

  void start();

  /// See Reloader::ask().
  void reload(ops::Asker asker, ReloadThread::Answer answer) {
    reloader_->ask(std::move(asker), std::move(answer));
  }

  /// Stops accepting, lets sessions and deliveries end, closes the queue. Blocks up to `patience`
  /// for sessions, and again for deliveries.
  void stop(std::chrono::seconds patience);

  /// To be called by the main thread about once a second: logs stuck tasks and suppressed refusals,
  /// and reads a renewed certificate. False: a shard has not responded for too long.
  bool tend();

  /// Opens the log file anew by its name, for example after it was moved away; reload() does so,
  /// too.
  void reopen_log() { log_->reopen_or_tell(clock_.wall()); }

  /// After stop(): a configuration is still being read, which the destructor would wait for.
  bool is_held_up() const { return reloader_ && reloader_->is_busy(); }

  /// The storage failed, so nothing can be promised.
  bool poisoned() const { return store_->poisoned(); }

  base::Log& log() { return *log_; }

 private:
  Relay(Parts parts, net::InheritedSockets given, FileBounds bounds, std::unique_ptr<LogSink> log,
        const Seams& seams);

  std::expected<void, std::string> open_parts();
  void report_crashes();
  std::expected<void, std::string> open_queue();
  void open_signer();
  std::expected<void, std::string> open_delivery();
  void open_inbound();
  void open_desk();
  std::expected<void, std::string> open_listeners();
  void open_reloads();
  /// What has to be done when a configuration comes into force.
  void follow_configuration();
  /// Releases, in the background, copies held for targets that have confirmed.
  void release_confirmed();
  void let_last_replies_arrive();
  void restore_pauses();

  net::SystemClock clock_;
  const Seams& seams_;
  std::atomic<bool> draining_{false};

  std::unique_ptr<LogSink> log_;
  InForce in_force_;
  std::unique_ptr<ports::Store> store_;
  std::unique_ptr<auth::OpensslSigner> signer_;
  net::OpensslAcceptor tls_acceptor_{in_force_.server_tls()};
  net::ClientTls first_client_tls_;  ///< until open_delivery()
  base::Watchdog watchdog_;
  base::SteadyTime next_suppressed_;            ///< used by the main thread only
  ports::DeliveryQueue* deliveries_ = nullptr;  ///< of store_, behind the seam
  ports::Signer* signing_ = nullptr;            ///< signer_, behind the seam
  std::unique_ptr<delivery::Scheduler> scheduler_;
  std::unique_ptr<Reception> reception_;
  std::unique_ptr<StatusReport> status_;
  std::unique_ptr<ops::Desk> desk_;
  std::unique_ptr<ops::AdminEndpoint> admin_;
  base::Registry metrics_;
  // Destroying the loops destroys the remaining coroutines, which use everything above.
  net::ShardPool shards_;
  std::unique_ptr<dns::UnboundResolver> resolver_;
  std::unique_ptr<net::PoolDialer> dialer_;
  Listeners listeners_;
  Listeners::Change to_open_;  ///< until start()
  std::unique_ptr<net::ControlListener> control_;
  std::unique_ptr<Reloader> reloader_;  ///< last, because it uses everything above
};

}  // namespace relay::app
