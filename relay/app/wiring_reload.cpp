#include "relay/app/wiring_reload.hpp"

#include <utility>

#include "relay/app/endpoints.hpp"
#include "relay/app/secret_memory.hpp"
#include "relay/app/wiring_parts.hpp"

namespace relay::app {

namespace {

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

/// Adds a hint: "Permission denied" alone would make the operator check the permissions of the
/// file.
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

struct Reloader::Prepared {
  Listeners::Change listeners;
  std::optional<base::LogFile> log;  ///< nullopt: keep the one in use
};

void Reloader::start() {
  thread_.emplace(ReloadThread::Work{
      .at_start = [this] { uses_.review.think_over(uses_.configuration.warnings()); },
      .reload = [this](const std::vector<ops::Asker>& asked_by) { return reload_now(asked_by); },
      .tidy = [this] { return uses_.configuration.free_retired(uses_.idle); }});
}

void Reloader::ask(ops::Asker asker, ReloadThread::Answer answer) {
  thread_->ask(std::move(asker), std::move(answer));
}

void Reloader::give_up() {
  {
    const std::lock_guard lock(mutex_);
    gave_up_ = true;
  }
  thread_->give_up();
}

std::expected<Reloader::Prepared, std::string> Reloader::prepare(const settings::Settings& next) {
  Prepared prepared;
  auto listeners = uses_.listeners.prepare(endpoints_of(next));
  if (!listeners) return std::unexpected("cannot listen on " + listeners.error());
  prepared.listeners = std::move(*listeners);
  if (next.log.file == uses_.configuration.settings().get()->log.file) return prepared;
  if (!next.log.file.empty() && !uses_.bounds.may_write(next.log.file)) {
    return std::unexpected("log.file: " + next.log.file + kOutOfBounds);
  }
  auto log = base::LogFile::open(next.log.file);
  if (!log) return std::unexpected(log.error());
  prepared.log = std::move(*log);
  return prepared;
}

std::vector<std::string> Reloader::objections(const Parts& next) const {
  std::vector<std::string> found;
  for (const auto& problem : next.problems) {
    if (!problem.warning) found.push_back(render(explained(problem, uses_.bounds)));
  }
  return found;
}

ops::ReloadResult Reloader::reload_now(const std::vector<ops::Asker>& asked_by) {
  uses_.configuration.free_retired(uses_.idle);
  const auto before = uses_.configuration.in_force();
  Parts next;
  uses_.idle.run([&] {
    next =
        make_parts(before->settings->file, Places::LeaveAlone, uses_.given, uses_.classic_before);
  });
  ops::ReloadResult result;
  result.problems = objections(next);
  std::expected<Prepared, std::string> prepared;
  if (result.problems.empty()) prepared = prepare(*next.settings);
  if (!prepared) result.problems.push_back(prepared.error());
  if (result.problems.empty()) {
    // Under the lock either the listeners are changed or the shutdown has begun, not both.
    const std::lock_guard lock(mutex_);
    if (gave_up_) result.problems.emplace_back("the relay is shutting down");
    if (!gave_up_) uses_.listeners.apply(std::move(prepared->listeners));
  }
  base::Log& log = uses_.log;
  if (!result.problems.empty()) {
    log.write(std::move(reload_event(uses_.clock.wall(), base::Severity::Error, asked_by)
                            .flag("applied", false)
                            .text("problem", result.problems.front())));
    uses_.log.reopen_or_tell(uses_.clock.wall());
    uses_.idle.run([&] { next = Parts(); });
    return result;
  }
  auto of_loader = std::move(next.problems);
  // All or nothing was decided above: nothing fails from here on.
  result.applied = true;
  put_in_force(std::move(next), std::move(*prepared));
  const auto in_force = uses_.configuration.in_force();
  log.write(std::move(reload_event(uses_.clock.wall(), base::Severity::Info, asked_by)
                          .flag("applied", true)
                          .text("config_hash", in_force->settings->hash)));
  uses_.on_published();
  remember_or_tell(*in_force->settings, uses_.classic_before, log, uses_.clock.wall());
  uses_.review.think_over(std::move(of_loader));
  result.needs_restart = uses_.configuration.needs_restart();
  result.warnings = uses_.review.warnings();
  return result;
}

/// In an order in which no session sees half of a configuration: the certificate is there before
/// STARTTLS is offered, and all policies are published at once.
void Reloader::put_in_force(Parts next, Prepared prepared) {
  net::TlsFiles files;
  const auto& tls = next.settings->tls;
  if (tls && tls->is_in_files()) files = {tls->certificate.file, tls->key.file};
  uses_.certificate_watch.watch(files, [&] {
    if (next.server_tls) uses_.server_tls.publish(next.server_tls);
  });
  const std::string log_file = next.settings->log.file;
  uses_.configuration.publish(std::move(*next.policies), uses_.clock.wall());
  uses_.log.redact(uses_.configuration.redaction().get());
  if (prepared.log) {
    uses_.log.go_on_in(log_file, std::move(*prepared.log));
  } else {
    uses_.log.reopen_or_tell(uses_.clock.wall());
  }
}

}  // namespace relay::app
