// A reload: the configuration read again, and swapped as a whole or not at all.
#include <algorithm>
#include <utility>

#include "relay/app/endpoints.hpp"
#include "relay/app/wiring.hpp"
#include "relay/base/task.hpp"
#include "relay/inbound/consent.hpp"

namespace relay::app {

namespace {

/// Keys that are read at start only.
std::vector<std::string> restart_keys(const settings::Settings& runs,
                                      const settings::Settings& next) {
  std::vector<std::string> keys;
  if (runs.queue.path != next.queue.path) keys.emplace_back("queue.store");
  if (runs.queue.min_free != next.queue.min_free) keys.emplace_back("queue.min_free");
  if (runs.control.socket != next.control.socket) keys.emplace_back("control.socket");
  if (runs.threads != next.threads) keys.emplace_back("threads");
  if (runs.outbound.ca_file != next.outbound.ca_file) keys.emplace_back("outbound.ca_file");
  if (runs.dns.forward_to != next.dns.forward_to ||
      runs.dns.trust_anchor != next.dns.trust_anchor) {
    keys.emplace_back("dns");
  }
  return keys;
}

std::string name_of(const ops::Asker& asker) {
  if (!asker) return "a signal";
  return (asker->name.empty() ? "" : asker->name + ' ') + "(uid " + std::to_string(asker->uid) +
         ", pid " + std::to_string(asker->pid) + ')';
}

base::Event reload_event(base::WallTime now, base::Severity severity,
                         const std::vector<ops::Asker>& asked_by) {
  base::Event event("reload", now, severity);
  std::vector<std::string> names;
  for (const ops::Asker& asker : asked_by) names.push_back(name_of(asker));
  event.list("asked_by", names);
  return event;
}

constexpr const char* kOutOfBounds =
    " is in none of the folders that were named at start, and no other is open to this process: "
    "this needs a restart";

/// "Permission denied" alone would be looked for among the rights of the file.
settings::Problem explained(settings::Problem problem, const FileBounds& bounds) {
  constexpr std::string_view kBegin = "cannot read ";
  constexpr std::string_view kEnd = ": Permission denied";
  const std::size_t begin = problem.text.find(kBegin);
  const std::size_t end = problem.text.rfind(kEnd);
  if (begin == std::string::npos || end == std::string::npos || end < begin) return problem;
  const std::size_t at = begin + kBegin.size();
  const std::string file = problem.text.substr(at, end - at);
  if (!bounds.may_read(file)) problem.hint = file + kOutOfBounds;
  return problem;
}

}  // namespace

struct Relay::Prepared {
  Listeners::Change listeners;
  std::optional<LogFile> log;  ///< nullopt: the one in use
};

void Relay::release_confirmed() {
  const auto release = [](Relay& relay) -> base::Task<> {
    const auto released =
        co_await inbound::release_confirmed(relay.spool_->consent(), relay.inbound_policy_);
    if (!released || *released == 0) co_return;
    relay.log_->write(base::Event("confirmed", relay.clock_.wall())
                          .number("released", static_cast<std::int64_t>(*released)));
    relay.scheduler_->wake();
  };
  base::spawn_supervised(shards_.at(0).executor(), "release of confirmed", release(*this));
}

void Relay::reopen_log() {
  if (auto reopened = log_->reopen(); !reopened) {
    log_->write(std::move(base::Event("log", clock_.wall(), base::Severity::Warning)
                              .text("problem", reopened.error())
                              .text("consequence", "the file opened before stays in use")));
  }
}

void Relay::open_reloads() {
  reloads_ = std::make_unique<ReloadThread>(ReloadThread::Work{
      .at_start = [this] { review_at_start(); },
      .reload = [this](const std::vector<ops::Asker>& asked_by) { return reload_now(asked_by); },
      .tidy = [this] { return free_retired(); }});
}

void Relay::reload(ops::Asker asker, ReloadThread::Answer answer) {
  reloads_->ask(std::move(asker), std::move(answer));
}

std::expected<Relay::Prepared, std::string> Relay::prepare(const settings::Settings& next) {
  Prepared prepared;
  auto listeners = listeners_.prepare(endpoints_of(next));
  if (!listeners) return std::unexpected("cannot listen on " + listeners.error());
  prepared.listeners = std::move(*listeners);
  if (next.log.file == settings_.get()->log.file) return prepared;
  if (!next.log.file.empty() && !bounds_.may_write(next.log.file)) {
    return std::unexpected("log.file: " + next.log.file + kOutOfBounds);
  }
  auto log = LogFile::open(next.log.file);
  if (!log) return std::unexpected(log.error());
  prepared.log = std::move(*log);
  return prepared;
}

ops::ReloadResult Relay::reload_now(const std::vector<ops::Asker>& asked_by) {
  free_retired();
  const auto before = in_force_.get();
  Parts next;
  idle_.run([&] {
    next = make_parts(before->settings->file, Places::LeaveAlone, given_, classic_before_);
  });
  ops::ReloadResult result;
  for (const auto& problem : next.problems) {
    if (!problem.warning) result.problems.push_back(render(explained(problem, bounds_)));
  }
  std::expected<Prepared, std::string> prepared;
  if (result.problems.empty()) prepared = prepare(*next.settings);
  if (!prepared) result.problems.push_back(prepared.error());
  if (result.problems.empty()) {
    // From here on it is done, or stop() has begun: one of them.
    const std::lock_guard lock(mutex_);
    if (draining_) result.problems.emplace_back("the relay is shutting down");
    if (!draining_) listeners_.apply(std::move(prepared->listeners));
  }
  if (!result.problems.empty()) {
    log_->write(std::move(reload_event(clock_.wall(), base::Severity::Error, asked_by)
                              .flag("applied", false)
                              .text("problem", result.problems.front())));
    reopen_log();
    idle_.run([&] { next = Parts(); });
    return result;
  }
  auto of_loader = std::move(next.problems);
  // Nothing can fail from here on: all or nothing was decided above.
  result.applied = true;
  put_in_force(std::move(next), std::move(*prepared));
  const auto in_force = in_force_.get();
  log_->write(std::move(reload_event(clock_.wall(), base::Severity::Info, asked_by)
                            .flag("applied", true)
                            .text("config_hash", in_force->settings->hash)));
  scheduler_->wake();
  release_confirmed();
  check_srs_domain(settings_.get());
  try_to_remember_secrets(*in_force->settings);
  auto reviewed = review(*in_force, std::move(of_loader));
  const std::lock_guard lock(mutex_);
  warnings_ = std::move(reviewed);
  result.needs_restart = needs_restart_;
  result.warnings = warnings();
  return result;
}

/// Each step leaves nobody with half of it: whoever is offered STARTTLS finds a certificate, and
/// all that is decided by is published at once.
void Relay::put_in_force(Parts next, Prepared prepared) {
  retired_.push_back(in_force_.get());
  net::TlsFiles files;
  const auto& tls = next.settings->tls;
  if (tls && tls->is_in_files()) files = {tls->certificate.file, tls->key.file};
  certificate_watch_->watch(files, [&] {
    if (next.server_tls) server_tls_.publish(next.server_tls);
  });
  auto needs_restart = restart_keys(*started_with_, *next.settings);
  in_force_.publish(std::make_shared<const Policies>(std::move(*next.policies)));
  log_->redact(redaction_.get());
  if (prepared.log) {
    log_->go_on_in(settings_.get()->log.file, std::move(*prepared.log));
  } else {
    reopen_log();
  }
  const std::lock_guard lock(mutex_);
  loaded_at_ = clock_.wall();
  needs_restart_ = std::move(needs_restart);
}

bool Relay::free_retired() {
  std::vector<std::shared_ptr<const Policies>> free;
  std::erase_if(retired_, [&](auto& policies) {
    // Published elsewhere by now: whoever has it got it before, and the count only falls.
    if (policies.use_count() > 1) return false;
    free.push_back(std::move(policies));
    return true;
  });
  if (!free.empty()) idle_.run([&] { free.clear(); });
  return !retired_.empty();
}

}  // namespace relay::app
