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

Policies Relay::policies() const {
  return {.settings = settings_,
          .inbound = inbound_policy_.get(),
          .delivery = delivery_policy_.get(),
          .signing = signing_keys_.get(),
          .redaction = {}};
}

/// While mail flows: of a million aliases it takes a while. A reload meanwhile has its own.
void Relay::review_at_start() {
  Policies in_force;
  std::vector<settings::Problem> of_loader;
  {
    const std::lock_guard lock(mutex_);
    in_force = policies();
    of_loader = warnings_;
  }
  auto reviewed = review(in_force, std::move(of_loader));
  const std::lock_guard lock(mutex_);
  if (settings_ == in_force.settings) warnings_ = std::move(reviewed);
}

std::vector<settings::Problem> Relay::review(const Policies& in_force,
                                             std::vector<settings::Problem> of_loader) {
  const base::WallTime now = clock_.wall();
  const std::lock_guard reviewing(review_mutex_);
  append(of_loader, doubts_about(in_force, now));
  auto all = of_loader;
  const auto certificate = server_tls_ ? server_tls_->get() : nullptr;
  append(all, doubts_about_certificate(in_force, certificate.get(), now));
  std::size_t logged = 0;
  for (const settings::Problem& problem : all) {
    // A panel reloads often: what the log has already need not stand there again.
    if (!logged_warnings_.insert(problem.check + ' ' + problem.text).second) continue;
    if (++logged <= kMostShown) log_warning(*log_, now, problem);
  }
  auto memory = read_secret_memory(*in_force.settings);
  memory.secrets = review::remember(memory.secrets, in_force.settings->srs, now);
  memory.classic_before = classic_before_;
  if (auto written = write_secret_memory(*in_force.settings, memory); !written) {
    log_unwritten_memory(*log_, now, written.error());
  }
  return of_loader;
}

/// Before there is a queue: a crash in between must not look like an upgrade to the next start.
std::expected<void, std::string> Relay::remember_upgrade() {
  if (auto folder = spool::make_folder(settings_->queue.path, false); !folder) return folder;
  auto memory = read_secret_memory(*settings_);
  if (memory.classic_before == classic_before_) return {};
  memory.classic_before = classic_before_;
  auto written = write_secret_memory(*settings_, memory);
  std::error_code ignored;
  if (written || !std::filesystem::exists(settings_->queue.path, ignored)) return written;
  // A host that has worked so far goes on. Without the memory each start is an upgrade to it.
  log_unwritten_memory(*log_, clock_.wall(), written.error());
  return {};
}

ops::ConfigWarnings Relay::warnings() const {
  const auto certificate = server_tls_ ? server_tls_->get() : nullptr;
  auto all = doubts_about_certificate(policies(), certificate.get(), clock_.wall());
  const std::string trouble = certificate_watch_ ? certificate_watch_->trouble() : "";
  if (!trouble.empty() && settings_->tls) {
    all.push_back({.at = position_of(*settings_, settings_->tls->certificate_at),
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
