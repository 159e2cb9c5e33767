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

/// Without the aliases, of which there may be a million.
std::shared_ptr<const settings::Settings> read_at_start_only(const settings::Settings& all) {
  auto kept = std::make_shared<settings::Settings>();
  kept->file = all.file;
  kept->threads = all.threads;
  kept->listeners = all.listeners;
  kept->limits = all.limits;
  kept->tls = all.tls;
  kept->dns = all.dns;
  kept->outbound = all.outbound;
  kept->queue = all.queue;
  kept->log = all.log;
  kept->control = all.control;
  return kept;
}

}  // namespace

std::expected<std::unique_ptr<Relay>, std::string> Relay::open(Parts parts,
                                                               net::InheritedSockets given,
                                                               FileBounds bounds) {
  std::unique_ptr<Relay> relay(new Relay(std::move(parts), std::move(given), std::move(bounds)));
  if (auto opened = relay->open_parts(); !opened) return std::unexpected(opened.error());
  return relay;
}

Relay::Relay(Parts parts, net::InheritedSockets given, FileBounds bounds)
    : started_with_(read_at_start_only(*parts.settings)),
      in_force_(std::make_shared<const Policies>(std::move(*parts.policies))),
      loaded_at_(clock_.wall()),
      warnings_(std::move(parts.problems)),
      started_at_(clock_.wall()),
      classic_before_(std::move(parts.classic_before)),
      given_(given.addresses()),
      bounds_(std::move(bounds)),
      server_tls_(std::move(parts.server_tls)),
      client_tls_(std::move(parts.client_tls)),
      shards_(shard_count(*started_with_)),
      listeners_(
          shards_,
          [this](std::unique_ptr<ports::Stream> stream, const base::Executor& executor) {
            acceptor_->admit(std::move(stream), executor);
          },
          std::move(given)) {}

Relay::~Relay() = default;

std::expected<void, std::string> Relay::open_parts() {
  auto log = LogSink::open(started_with_->log.file);
  if (!log) return std::unexpected(log.error());
  log_ = std::move(*log);
  log_->redact(redaction_.get());
  base::set_crash_reporter([this](const std::string& task, const std::string& what) {
    log_->write(base::Event("crash", clock_.wall(), base::Severity::Error)
                    .text("task", task)
                    .text("what", what));
  });
  if (auto remembered = remember_at_start(); !remembered) return remembered;
  auto spool = spool::SqliteSpool::open({.path = started_with_->queue.path,
                                         .min_free = started_with_->queue.min_free,
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
  certificate_watch_ = std::make_unique<CertificateWatch>(server_tls_, *log_);
  const auto& tls = started_with_->tls;
  if (tls && tls->is_in_files()) {
    certificate_watch_->watch({.chain = tls->certificate.file, .key = tls->key.file});
  }
}

std::expected<void, std::string> Relay::open_delivery() {
  auto resolver = open_resolver(shards_.at(0).io(), *started_with_);
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
                                                      bounces_.note_taker(base::origin_of(address),
                                                                          clock_.steady());
                                                    }});
  return {};
}

void Relay::open_inbound() {
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
                                                            .tls = &tls_acceptor_,
                                                            .log = *log_,
                                                            .policy = inbound_policy_,
                                                            .memory = memory_,
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
  auto change = listeners_.prepare(endpoints_of(*started_with_));
  if (!change) return std::unexpected("cannot listen on " + change.error());
  to_open_ = std::move(*change);
  auto control = net::ControlListener::open(shards_.at(0), started_with_->control.socket);
  if (!control) return std::unexpected(control.error());
  control_ = std::move(*control);
  return {};
}

void Relay::start() {
  shards_.run();
  recall_unheard();
  restore_pauses();
  scheduler_->start();
  listeners_.apply(std::move(to_open_));
  open_reloads();
  control_->start([this](std::unique_ptr<ports::Stream> stream) {
    base::spawn_supervised(shards_.at(0).executor(), "control session",
                           admin_->serve(std::move(stream)));
  });
  log_start();
  release_confirmed();
  check_srs_domain(settings_.get());
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
  const auto settings = settings_.get();
  base::Event event("started", clock_.wall());
  event.text("version", kVersion).number("pid", ::getpid());
  event.text("hostname", settings->hostname).text("config_hash", settings->hash);
  event.number("shards", static_cast<std::int64_t>(shards_.size()));
  event.open("queue")
      .text("path", settings->queue.path)
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
  event.number("landlock", bounds_.abi);
  log_->write(std::move(event));
  if (bounds_.abi == 0) {
    log_->write(std::move(base::Event("sandbox", clock_.wall(), base::Severity::Warning)
                              .text("problem", "this kernel has no Landlock, or we may not use it")
                              .text("consequence", "files are bounded by rights alone")));
  }
  if (const auto room = lack_of_room()) {
    log_->write(std::move(
        base::Event("disk", clock_.wall(), base::Severity::Warning).text("problem", room->text)));
  }
  log_classic_secrets();
}

/// What is taken for a while after an upgrade is told, so that nobody wonders when it ends.
void Relay::log_classic_secrets() {
  const base::WallTime now = clock_.wall();
  const auto settings = settings_.get();
  for (const settings::SrsSecret& secret : settings->srs.secrets) {
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
  certificate_watch_->look(clock_.wall());
  if (now >= next_suppressed_) {
    next_suppressed_ = now + kSuppressedSpan;
    refusals_->tell_suppressed(clock_.wall());
  }
  return shards_.silence(now) < kLongestSilence;
}

}  // namespace relay::app
