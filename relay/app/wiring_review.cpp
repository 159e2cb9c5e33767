// Relay::review() and Relay::warnings(): what speaks against the configuration in force; and what
// is remembered of it.
#include <algorithm>
#include <filesystem>
#include <utility>

#include "relay/app/doubts.hpp"
#include "relay/app/secret_memory.hpp"
#include "relay/app/wiring.hpp"
#include "relay/spool/spool_folder.hpp"

namespace relay::app {

namespace {

constexpr std::size_t kMostShown = 100;

void log_warning(base::Log& log, base::WallTime now, const settings::Problem& problem) {
  base::Event event("config_warning", now, base::Severity::Warning);
  event.text("file", problem.at.file);
  event.number("line", std::int64_t{problem.at.line});
  event.number("column", std::int64_t{problem.at.column});
  event.text("problem", problem.text);
  if (!problem.hint.empty()) event.text("hint", problem.hint);
  if (!problem.check.empty()) event.text("check", problem.check);
  log.write(std::move(event));
}

void log_unwritten_memory(base::Log& log, base::WallTime now, const std::string& problem) {
  log.write(base::Event("secret_memory", now, base::Severity::Warning).text("problem", problem));
}

void append(std::vector<settings::Problem>& problems, std::vector<settings::Problem> more) {
  std::ranges::move(more, std::back_inserter(problems));
}

}  // namespace

/// While mail flows: of a million aliases it takes a while.
void Relay::review_at_start() {
  const auto in_force = in_force_.get();
  std::vector<settings::Problem> of_loader;
  {
    const std::lock_guard lock(mutex_);
    of_loader = warnings_;
  }
  auto reviewed = review(*in_force, std::move(of_loader));
  const std::lock_guard lock(mutex_);
  warnings_ = std::move(reviewed);
}

std::vector<settings::Problem> Relay::review(const Policies& in_force,
                                             std::vector<settings::Problem> of_loader) {
  const base::WallTime now = clock_.wall();
  idle_.run([&] { append(of_loader, doubts_about(in_force, now)); });
  auto all = of_loader;
  append(all, doubts_about_certificate(in_force, server_tls_.get().get(), now));
  std::size_t logged = 0;
  for (const settings::Problem& problem : all) {
    // A panel reloads often: what the log has already need not stand there again.
    if (!logged_warnings_.insert(problem.check + ' ' + problem.text).second) continue;
    if (++logged <= kMostShown) log_warning(*log_, now, problem);
  }
  return of_loader;
}

std::expected<void, std::string> Relay::remember_secrets(const settings::Settings& settings) {
  auto memory = read_secret_memory(settings);
  memory.secrets = review::remember(memory.secrets, settings.srs, clock_.wall());
  memory.classic_before = classic_before_;
  return write_secret_memory(settings, memory);
}

void Relay::try_to_remember_secrets(const settings::Settings& settings) {
  if (auto written = remember_secrets(settings); !written) {
    log_unwritten_memory(*log_, clock_.wall(), written.error());
  }
}

/// Before there is a queue: a crash in between must not look like an upgrade to the next start. And
/// before anything else is thought over, which may take until the host has time for it.
std::expected<void, std::string> Relay::remember_at_start() {
  if (auto folder = spool::make_folder(started_with_->queue.path, false); !folder) return folder;
  auto written = remember_secrets(*settings_.get());
  std::error_code ignored;
  if (written || !std::filesystem::exists(started_with_->queue.path, ignored)) return written;
  // A host that has worked so far goes on. Without the memory each start is an upgrade to it.
  log_unwritten_memory(*log_, clock_.wall(), written.error());
  return {};
}

ops::ConfigWarnings Relay::warnings() const {
  const auto in_force = in_force_.get();
  const auto& tls = in_force->settings->tls;
  std::vector<settings::Problem> all;
  if (tls) all = doubts_about_certificate(*in_force, server_tls_.get().get(), clock_.wall());
  const std::string trouble = certificate_watch_->trouble();
  if (!trouble.empty() && tls) {
    all.push_back({.at = position_of(*in_force->settings, tls->certificate.at),
                   .code = settings::ProblemCode::File,
                   .text = "tls: " + trouble,
                   .hint = "until it is mended the certificate read before stays in use",
                   .warning = true,
                   .check = "certificate"});
  }
  all.insert(all.end(), warnings_.begin(), warnings_.end());
  ops::ConfigWarnings shown{.shown = {}, .in_all = all.size()};
  for (std::size_t i = 0; i < std::min(all.size(), kMostShown); ++i) {
    const settings::Problem& one = all[i];
    shown.shown.push_back({.file = one.at.file,
                           .line = one.at.line,
                           .column = one.at.column,
                           .text = one.text,
                           .hint = one.hint,
                           .check = one.check});
  }
  return shown;
}

}  // namespace relay::app
