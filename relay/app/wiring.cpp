#include "relay/app/wiring.hpp"

#include <algorithm>
#include <random>
#include <thread>
#include <utility>

#include <openssl/crypto.h>
#include <unistd.h>

#include "relay/app/await_blocking.hpp"
#include "relay/app/endpoints.hpp"
#include "relay/app/version.hpp"
#include "relay/base/task.hpp"
#include "relay/forward/sender_rewrite.hpp"

namespace relay::app {

namespace {

constexpr std::chrono::seconds kSuppressedSpan{10};
// A shard never blocks; systemd asks every 30 s.
constexpr std::chrono::seconds kLongestSilence{15};

std::size_t shard_count(const settings::Settings& settings) {
  if (settings.threads > 0) return settings.threads;
  return std::max(1U, std::thread::hardware_concurrency());
}

std::size_t idle_cores(std::size_t shards) {
  const std::size_t cores = std::thread::hardware_concurrency();
  return cores > shards ? cores - shards : 0;
}

}  // namespace

std::expected<std::unique_ptr<Relay>, std::string> Relay::open(Parts parts) {
  std::unique_ptr<Relay> relay(new Relay(std::move(parts)));
  if (auto opened = relay->open_parts(); !opened) return std::unexpected(opened.error());
  return relay;
}

Relay::Relay(Parts parts)
    : settings_(std::move(parts.settings)),
      loaded_at_(clock_.wall()),
      started_at_(clock_.wall()),
      classic_before_(std::move(parts.classic_before)),
      warnings_(std::move(parts.problems)),
      inbound_policy_(std::move(parts.policies->inbound)),
      delivery_policy_(std::move(parts.policies->delivery)),
      signing_keys_(std::move(parts.policies->signing)),
      redaction_(std::move(parts.policies->redaction)),
      server_certificate_(std::move(parts.server_tls)),
      client_tls_(std::move(parts.client_tls)),
      shards_(shard_count(*settings_)) {}

Relay::~Relay() = default;

std::expected<void, std::string> Relay::open_parts() {
  auto log = LogSink::open(settings_->log.file);
  if (!log) return std::unexpected(log.error());
  log_ = std::move(*log);
  log_->redact(redaction_);
  base::set_crash_reporter([this](const std::string& task, const std::string& what) {
    log_->write(base::Event("crash", clock_.wall(), base::Severity::Error)
                    .text("task", task)
                    .text("what", what));
  });
  if (auto remembered = remember_upgrade(); !remembered) return remembered;
  auto spool = spool::SqliteSpool::open({.path = settings_->queue.path,
                                         .min_free = settings_->queue.min_free,
                                         .clock = &clock_,
                                         .allow_network_file_system = false});
  if (!spool) return std::unexpected(spool.error());
  spool_ = std::move(*spool);
  signer_ = std::make_unique<auth::OpensslSigner>(
      signing_keys_, idle_cores(shards_.size()),
      auth::SelfChecking{.on_fault = [this](const auth::SelfCheckFault& fault) {
        log_->write(base::Event("self_check_failed", clock_.wall(), base::Severity::Error)
                        .text("domain", fault.domain)
                        .text("selector", fault.selector)
                        .text("problem", fault.problem));
      }});
  open_tls();
  if (auto delivery = open_delivery(); !delivery) return delivery;
  open_inbound();
  open_desk();
  return open_listeners();
}

void Relay::open_tls() {
  if (!server_certificate_) return;
  server_tls_ =
      std::make_unique<base::Published<net::TlsContext>>(std::exchange(server_certificate_, {}));
  certificate_watch_ = std::make_unique<CertificateWatch>(*server_tls_, *log_);
  certificate_watch_->watch(
      {.chain = settings_->tls->certificate_file, .key = settings_->tls->key_file});
  tls_acceptor_ = std::make_unique<net::OpensslAcceptor>(*server_tls_);
}

std::expected<void, std::string> Relay::open_delivery() {
  auto resolver = open_resolver(shards_.at(0).io(), *settings_);
  if (!resolver) return std::unexpected("dns: " + resolver.error());
  resolver_ = std::move(*resolver);
  dialer_ = std::make_unique<net::PoolDialer>(shards_, client_tls_);
  scheduler_ = std::make_unique<delivery::Scheduler>(
      shards_.executors(), delivery::SchedulerParts{.clock = clock_,
                                                    .resolver = *resolver_,
                                                    .dialer = *dialer_,
                                                    .queue = spool_->delivery(),
                                                    .signer = signer_.get(),
                                                    .log = *log_,
                                                    .policy = delivery_policy_,
                                                    .watchdog = watchdog_,
                                                    .seed = std::random_device{}(),
                                                    .on_taken = [this](const std::string& address) {
                                                      bounces_.note_taker(
                                                          forward::client_prefix(address),
                                                          clock_.steady());
                                                    }});
  return {};
}

void Relay::open_inbound() {
  budget_ = std::make_unique<inbound::ByteBudget>(settings_->limits.memory);
  refusals_ = std::make_unique<inbound::RefusalLog>(*log_);
  abuse_ = std::make_unique<inbound::AbuseControl>(*resolver_, spool_->greylist(), clock_, *log_);
  inbound_services_ =
      std::make_unique<inbound::Services>(inbound::Services{.clock = clock_,
                                                            .queue = spool_->intake(),
                                                            .tokens = spool_->tokens(),
                                                            .consent = spool_->consent(),
                                                            .signer = *signer_,
                                                            .resolver = *resolver_,
                                                            .feed = *scheduler_,
                                                            .tls = tls_acceptor_.get(),
                                                            .log = *log_,
                                                            .policy = inbound_policy_,
                                                            .budget = *budget_,
                                                            .bounces = bounces_,
                                                            .resends = resends_,
                                                            .refusals = *refusals_,
                                                            .waste = waste_,
                                                            .handshakes = handshakes_,
                                                            .watchdog = watchdog_,
                                                            .abuse = *abuse_});
  acceptor_ = std::make_unique<inbound::Acceptor>(*inbound_services_);
}

std::expected<void, std::string> Relay::open_listeners() {
  const auto endpoints = endpoints_of(*settings_);
  const auto inherited = net::InheritedSockets::take(endpoints);
  if (!inherited) return std::unexpected(inherited.error());
  if (auto free = net::Listener::check_free(inherited->missing(endpoints)); !free) {
    return std::unexpected("cannot listen on " + free.error());
  }
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    net::Shard& shard = shards_.at(i);
    auto listener = net::Listener::open(
        shard, endpoints,
        [this, executor = shard.executor()](std::unique_ptr<ports::Stream> stream) {
          acceptor_->admit(std::move(stream), executor);
        },
        {.farewell = "421 4.3.2 Too many connections, try again later\r\n"}, inherited->sockets());
    if (!listener) return std::unexpected("cannot listen on " + listener.error());
    listeners_.push_back(std::move(*listener));
  }
  auto control = net::ControlListener::open(shards_.at(0), settings_->control.socket);
  if (!control) return std::unexpected(control.error());
  control_ = std::move(*control);
  return {};
}

void Relay::start() {
  shards_.run();
  recall_unheard();
  restore_pauses();
  scheduler_->start();
  for (auto& listener : listeners_) listener->start();
  control_->start([this](std::unique_ptr<ports::Stream> stream) {
    base::spawn_supervised(shards_.at(0).executor(), "control session",
                           admin_->serve(std::move(stream)));
  });
  log_start();
  release_confirmed();
  check_srs_domain(settings_);
  review_at_start();
}

/// Whether the final replies of a run that was cut off were heard nobody can know any more: who
/// sends one of its last messages again is answered as before. An orderly end leaves no doubt.
void Relay::recall_unheard() {
  const spool::OpenReport& queue = spool_->report();
  if (queue.clean) return;
  const base::WallTime now = clock_.wall();
  const auto since_its_end = std::chrono::duration_cast<std::chrono::milliseconds>(
      now - std::min(now, queue.last_write.value_or(now)));
  const auto recent =
      await_blocking(shards_.at(0).executor(),
                     spool_->intake().accepted_within(since_its_end + inbound::ResendGuard::kMemory,
                                                      inbound::ResendGuard::kMaxEntries));
  if (!recent) return;  // the spool has said why; a second copy is no loss
  for (const auto& message : *recent) {
    resends_.remember(inbound::resend_key(message.client, message.reverse_path,
                                          message.forward_paths, message.content_sha256),
                      message.proof, clock_.steady());
  }
}

void Relay::log_start() {
  const spool::OpenReport& queue = spool_->report();
  base::Event event("started", clock_.wall());
  event.text("version", kVersion).number("pid", ::getpid());
  event.text("hostname", settings_->hostname).text("config_hash", settings_->hash);
  event.number("shards", static_cast<std::int64_t>(shards_.size()));
  event.open("queue")
      .text("path", settings_->queue.path)
      .number("messages", static_cast<std::int64_t>(queue.messages))
      .flag("clean", queue.clean)
      .number("drafts_removed", queue.drafts_removed)
      .text("journal_mode", queue.journal_mode)
      .text("synchronous", queue.synchronous)
      .text("locking_mode", queue.locking_mode)
      .close();
  event.open("libraries")
      .text("openssl", OpenSSL_version(OPENSSL_VERSION_STRING))
      .text("sqlite", queue.sqlite_version)
      .text("unbound", dns::unbound_version())
      .close();
  log_->write(std::move(event));
  log_classic_secrets();
}

/// What is taken for a while after an upgrade is told, so that nobody wonders when it ends.
void Relay::log_classic_secrets() {
  const base::WallTime now = clock_.wall();
  for (const settings::SrsSecret& secret : settings_->srs.secrets) {
    const base::WallTime until(std::chrono::seconds(secret.classic_until.value_or(0)));
    if (until <= now) continue;
    log_->write(base::Event("srs_classic", now)
                    .text("secret", secret.id)
                    .text("until", base::rfc3339(until)));
  }
}

bool Relay::tend() {
  const base::SteadyTime now = clock_.steady();
  for (const auto& overdue : watchdog_.newly_overdue(now)) {
    log_->write(std::move(base::Event("stuck", clock_.wall(), base::Severity::Error)
                              .text("what", overdue.what)
                              .text("detail", overdue.detail)
                              .number("late_s", overdue.late.count())));
  }
  if (certificate_watch_) certificate_watch_->look(clock_.wall());
  if (now >= next_suppressed_) {
    next_suppressed_ = now + kSuppressedSpan;
    refusals_->tell_suppressed(clock_.wall());
  }
  return shards_.silence(now) < kLongestSilence;
}

void Relay::stop(std::chrono::seconds patience) {
  {
    const std::lock_guard lock(mutex_);
    draining_ = true;
  }
  log_->write(base::Event("stopping", clock_.wall()));
  for (auto& listener : listeners_) listener->stop();
  acceptor_->drain();
  const auto executor = shards_.at(0).executor();
  const bool sessions_ended =
      await_blocking(executor, acceptor_->drained(base::Deadline::after(patience)));
  const bool deliveries_ended = await_blocking(executor, scheduler_->stop(patience));
  resolver_->stop();
  spool_->close();
  shards_.stop();
  shards_.join();
  control_->stop();
  log_->write(base::Event("stopped", clock_.wall())
                  .flag("sessions_ended", sessions_ended)
                  .flag("deliveries_ended", deliveries_ended));
  static_cast<void>(log_->flush());  // what does not get out has nobody who reads it
}

}  // namespace relay::app
