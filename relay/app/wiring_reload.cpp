#include "relay/app/wiring_reload.hpp"

#include <utility>

#include "relay/app/endpoints.hpp"
#include "relay/app/secret_memory.hpp"
#include "relay/app/wiring_parts.hpp"
#include "relay/app/wiring_start_log.hpp"
#include "relay/settings/problem.hpp"
#include "relay/settings/settings.hpp"

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

// The journal cuts longer lines in pieces (LineMax=48K), which would be no JSON.
constexpr std::size_t kMostLogged = 32'768;

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
      .at_start =
          [this] { uses_.in_force.review().think_over(uses_.in_force.configuration().warnings()); },
      .reload = [this](const std::vector<ops::Asker>& asked_by) { return reload_now(asked_by); },
      .tidy =
          [this] { return uses_.in_force.configuration().free_retired(uses_.in_force.idle()); }});
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
  auto listeners = uses_.listeners.prepare(endpoints_of(next.listeners));
  if (!listeners) return std::unexpected("cannot listen on " + listeners.error());
  prepared.listeners = std::move(*listeners);
  if (next.log.file == uses_.in_force.configuration().settings().get()->log.file) return prepared;
  if (!next.log.file.empty() && !uses_.in_force.bounds().may_write(next.log.file)) {
    return std::unexpected("log.file: " + next.log.file + kOutOfBounds);
  }
  auto log = base::LogFile::open(next.log.file);
  if (!log) return std::unexpected(log.error());
  prepared.log = std::move(*log);
  return prepared;
}

std::vector<Reloader::Objection> Reloader::objections(const Parts& next) const {
  std::vector<Objection> found;
  for (const auto& one : next.problems) {
    if (one.warning) continue;
    const settings::Problem problem = explained(one, uses_.in_force.bounds());
    found.push_back({.text = render(problem), .line = render_line(problem)});
  }
  return found;
}

/// Under a lock, so that either all of it is in force or the shutdown has begun. No session sees
/// half of a configuration: the certificate is there before STARTTLS is offered, and all policies
/// are published at once, before anything is accepted on a new address. False: it is too late.
bool Reloader::put_in_force(Parts& next, Listeners::Change listeners) {
  const std::lock_guard lock(mutex_);
  if (gave_up_) return false;
  uses_.listeners.apply(std::move(listeners), [&] {
    uses_.in_force.certificate_watch().watch(to_be_watched(next.settings->tls), [&] {
      if (next.server_tls) uses_.in_force.server_tls().publish(next.server_tls);
    });
    uses_.dialer.use(next.client_tls);
    uses_.in_force.configuration().publish(std::move(*next.policies), uses_.clock.wall());
    uses_.log.redact(uses_.in_force.configuration().redaction().get());
  });
  return true;
}

ops::ReloadResult Reloader::refuse(const std::vector<ops::Asker>& asked_by,
                                   std::vector<Objection> objections) {
  ops::ReloadResult result;
  std::vector<std::string> lines;
  std::size_t octets = 0;
  for (Objection& objection : objections) {
    result.problems.push_back(std::move(objection.text));
    octets += objection.line.size();
    if (octets <= kMostLogged) lines.push_back(std::move(objection.line));
  }
  auto event = reload_event(uses_.clock.wall(), base::Severity::Error, asked_by);
  event.flag("applied", false).list("problems", lines);
  const std::size_t left_out = objections.size() - lines.size();
  if (left_out > 0) event.number("problems_left_out", static_cast<std::int64_t>(left_out));
  uses_.log.write(std::move(event));
  uses_.log.reopen_or_tell(uses_.clock.wall());
  return result;
}

ops::ReloadResult Reloader::reload_now(const std::vector<ops::Asker>& asked_by) {
  uses_.in_force.configuration().free_retired(uses_.in_force.idle());
  const auto before = uses_.in_force.configuration().in_force();
  Parts next;
  uses_.in_force.idle().run([&] {
    next = make_parts(before->settings->file, Places::LeaveAlone, uses_.in_force.given(),
                      uses_.in_force.classic_before());
  });
  auto against = objections(next);
  const auto object = [&against](const std::string& text) {
    against.push_back({.text = text, .line = text});
  };
  std::expected<Prepared, std::string> prepared;
  if (against.empty()) prepared = prepare(*next.settings);
  if (!prepared) object(prepared.error());
  auto of_loader = std::move(next.problems);
  const std::string log_file = next.settings ? next.settings->log.file : "";
  // All or nothing: nothing fails after this.
  if (against.empty() && !put_in_force(next, std::move(prepared->listeners))) {
    object("the relay is shutting down");
  }
  if (!against.empty()) {
    auto refused = refuse(asked_by, std::move(against));
    uses_.in_force.idle().run([&] { next = Parts(); });
    return refused;
  }
  return tell_applied(asked_by, std::move(of_loader), log_file, std::move(prepared->log));
}

ops::ReloadResult Reloader::tell_applied(const std::vector<ops::Asker>& asked_by,
                                         std::vector<settings::Problem> of_loader,
                                         const std::string& log_file,
                                         std::optional<base::LogFile> log) {
  if (log) {
    uses_.log.go_on_in(log_file, std::move(*log));
  } else {
    uses_.log.reopen_or_tell(uses_.clock.wall());
  }
  const auto in_force = uses_.in_force.configuration().in_force();
  const settings::Settings& settings = *in_force->settings;
  auto event = reload_event(uses_.clock.wall(), base::Severity::Info, asked_by);
  event.flag("applied", true).text("config_hash", settings.hash);
  tell_extent(event, settings);
  uses_.log.write(std::move(event));
  uses_.on_published();
  remember_or_tell(settings, uses_.in_force.classic_before(), uses_.log, uses_.clock.wall());
  uses_.in_force.review().think_over(std::move(of_loader));
  ops::ReloadResult result;
  result.applied = true;
  result.needs_restart = uses_.in_force.configuration().needs_restart();
  result.warnings = uses_.in_force.review().warnings();
  return result;
}

}  // namespace relay::app
