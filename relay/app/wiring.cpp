#include "relay/app/wiring.hpp"

#include <algorithm>
#include <random>
#include <thread>
#include <utility>

#include "relay/app/endpoints.hpp"
#include "relay/app/secret_memory.hpp"
#include "relay/app/wiring_store.hpp"
#include "relay/base/task.hpp"
#include "relay/settings/problem.hpp"
#include "relay/settings/settings.hpp"

namespace relay::app {

namespace {

constexpr std::chrono::seconds kSuppressedSpan{10};
// A shard never blocks for long. systemd expects a sign of life every 30 s.
constexpr std::chrono::seconds kLongestSilence{15};

std::size_t shard_count(const settings::Settings& settings) {
  if (settings.threads > 0) return settings.threads;
  return std::max(1U, std::thread::hardware_concurrency());
}

std::size_t idle_cores(std::size_t shards) {
  const std::size_t cores = std::thread::hardware_concurrency();
  return cores > shards ? cores - shards : 0;
}

base::Task<ops::ReloadResult> awaited_reload(Relay& relay, ops::Asker asker) {
  co_return co_await base::await_answer<ops::ReloadResult>(
      [&](auto resume) { relay.reload(std::move(asker), std::move(resume)); });
}

std::vector<ports::HostEnd> hosts_of_group(const delivery::Policy& policy, std::string_view name) {
  std::vector<ports::HostEnd> hosts;
  if (policy.providers == nullptr) return hosts;
  for (auto& end : policy.providers->ends_of(name)) {
    hosts.push_back({.text = std::move(end.suffix), .is_of_group = end.is_its});
  }
  return hosts;
}

}  // namespace

std::expected<std::unique_ptr<Relay>, std::string> Relay::open(Parts parts,
                                                               net::InheritedSockets given,
                                                               FileBounds bounds,
                                                               const Seams& seams) {
  auto log = LogSink::open(parts.settings->log.file);
  if (!log) return std::unexpected(log.error());
  std::unique_ptr<Relay> relay(
      new Relay(std::move(parts), std::move(given), std::move(bounds), std::move(*log), seams));
  if (auto opened = relay->open_parts(); !opened) return std::unexpected(opened.error());
  return relay;
}

Relay::Relay(Parts parts, net::InheritedSockets given, FileBounds bounds,
             std::unique_ptr<LogSink> log, const Seams& seams)
    : seams_(seams),
      log_(std::move(log)),
      in_force_(parts, given.given(), std::move(bounds), *log_, clock_),
      first_client_tls_(std::move(parts.client_tls)),
      shards_(shard_count(in_force_.configuration().started_with())),
      listeners_(
          shards_,
          [this](std::unique_ptr<ports::Stream> stream, const base::Executor& executor) {
            reception_->acceptor().admit(std::move(stream), executor);
          },
          [this](net::Listener::Lack lack) {
            reception_->turned_away().note(lack == net::Listener::Lack::Memory
                                               ? inbound::HostTrouble::Memory
                                               : inbound::HostTrouble::Descriptors);
          },
          std::move(given)) {
  log_->redact(in_force_.configuration().redaction().get());
}

Relay::~Relay() = default;

std::expected<void, std::string> Relay::open_parts() {
  report_crashes();
  if (auto queue = open_queue(); !queue) return queue;
  open_signer();
  if (auto delivery = open_delivery(); !delivery) return delivery;
  open_inbound();
  open_desk();
  if (auto listeners = open_listeners(); !listeners) return listeners;
  open_reloads();
  return {};
}

void Relay::report_crashes() {
  base::set_crash_reporter([this](const std::string& task, const std::string& what) {
    log_->write(base::Event("crash", clock_.wall(), base::Severity::Error)
                    .text("task", task)
                    .text("what", what));
  });
}

/// Remembers the secrets before the review, which may start late on a busy host.
std::expected<void, std::string> Relay::open_queue() {
  const auto& queue = in_force_.configuration().started_with().queue;
  if (auto folder = make_store_folder(queue); !folder) return folder;
  auto remembered = remember_at_start(*in_force_.configuration().settings().get(),
                                      in_force_.classic_before(), *log_, clock_.wall());
  if (!remembered) return remembered;
  auto store = open_store(queue, clock_);
  if (!store) return std::unexpected(store.error());
  store_ = std::move(*store);
  deliveries_ = &through(seams_.delivery, store_->delivery());
  return {};
}

void Relay::open_signer() {
  signer_ = std::make_unique<auth::OpensslSigner>(
      in_force_.configuration().signing(), idle_cores(shards_.size()),
      auth::SelfChecking{
          .every = seams_.self_check_every, .on_fault = [this](const auth::SelfCheckFault& fault) {
            log_->write(base::Event("self_check_failed", clock_.wall(), base::Severity::Error)
                            .text("domain", fault.domain)
                            .text("selector", fault.selector)
                            .text("problem", fault.problem));
          }});
  signing_ = &through(seams_.signer, *signer_);
}

std::expected<void, std::string> Relay::open_delivery() {
  auto resolver = open_resolver(shards_.at(0).io(), in_force_.configuration().started_with());
  if (!resolver) return std::unexpected("dns: " + resolver.error());
  resolver_ = std::move(*resolver);
  dialer_ = std::make_unique<net::PoolDialer>(shards_, std::exchange(first_client_tls_, {}));
  scheduler_ = std::make_unique<delivery::Scheduler>(
      shards_.executors(), delivery::SchedulerParts{.clock = clock_,
                                                    .resolver = *resolver_,
                                                    .dialer = *dialer_,
                                                    .queue = *deliveries_,
                                                    .signer = signing_,
                                                    .log = *log_,
                                                    .policy = in_force_.configuration().delivery(),
                                                    .watchdog = watchdog_,
                                                    .seed = std::random_device{}(),
                                                    .on_taken = [this](const std::string& address) {
                                                      reception_->bounces().note_taker(
                                                          base::origin_of(address),
                                                          clock_.steady());
                                                    }});
  return {};
}

void Relay::open_inbound() {
  reception_ = std::make_unique<Reception>(
      Reception::Uses{.clock = clock_,
                      .queue = through(seams_.intake, store_->intake(), *deliveries_),
                      .tokens = store_->tokens(),
                      .consent = store_->consent(),
                      .greylist = store_->greylist(),
                      .signer = *signing_,
                      .resolver = *resolver_,
                      .feed = *scheduler_,
                      .tls = tls_acceptor_,
                      .log = *log_,
                      .policy = in_force_.configuration().inbound(),
                      .watchdog = watchdog_});
}

void Relay::open_desk() {
  status_ = std::make_unique<StatusReport>(StatusReport::Uses{.in_force = in_force_,
                                                              .reception = *reception_,
                                                              .clock = clock_,
                                                              .log = *log_,
                                                              .store = *store_,
                                                              .signer = *signer_,
                                                              .scheduler = *scheduler_,
                                                              .watchdog = watchdog_,
                                                              .draining = draining_});
  desk_ = std::make_unique<ops::Desk>(ops::Controls{
      .queue = store_->operators(),
      .delivery = *scheduler_,
      .clock = clock_,
      .log = *log_,
      .status = [this] { return status_->now(); },
      .reload = [this](ops::Asker asker) { return awaited_reload(*this, std::move(asker)); },
      .expire = [this] { return in_force_.configuration().delivery().get()->retry.expire; },
      .hosts_of_group =
          [this](std::string_view name) {
            return hosts_of_group(*in_force_.configuration().delivery().get(), name);
          }});
  admin_ = std::make_unique<ops::AdminEndpoint>(*desk_);
  store_->add_to(metrics_);
  scheduler_->metrics().add_to(metrics_);
  desk_->metrics().add_to(metrics_);
}

void Relay::open_reloads() {
  reloader_ = std::make_unique<Reloader>(
      Reloader::Uses{.in_force = in_force_,
                     .listeners = listeners_,
                     .dialer = *dialer_,
                     .log = *log_,
                     .clock = clock_,
                     .on_published = [this] { follow_configuration(); }});
}

std::expected<void, std::string> Relay::open_listeners() {
  auto change =
      listeners_.prepare(endpoints_of(in_force_.configuration().started_with().listeners));
  if (!change) return std::unexpected("cannot listen on " + change.error());
  to_open_ = std::move(*change);
  auto control = net::ControlListener::open(
      shards_.at(0), in_force_.configuration().started_with().control.socket);
  if (!control) return std::unexpected(control.error());
  control_ = std::move(*control);
  return {};
}

bool Relay::tend() {
  const base::SteadyTime now = clock_.steady();
  for (const auto& overdue : watchdog_.newly_overdue(now)) {
    log_->write(std::move(base::Event("stuck", clock_.wall(), base::Severity::Error)
                              .text("what", overdue.what)
                              .text("detail", overdue.detail)
                              .number("late_s", overdue.late.count())));
  }
  in_force_.certificate_watch().look(clock_.wall());
  if (now >= next_suppressed_) {
    next_suppressed_ = now + kSuppressedSpan;
    reception_->refusals().tell_suppressed(clock_.wall());
  }
  return shards_.silence(now) < kLongestSilence;
}

}  // namespace relay::app
