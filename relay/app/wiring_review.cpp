#include "relay/app/wiring_review.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "relay/app/doubts.hpp"
#include "relay/settings/problem.hpp"
#include "relay/settings/problem_code.hpp"
#include "relay/settings/settings.hpp"

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

void append(std::vector<settings::Problem>& problems, std::vector<settings::Problem> more) {
  std::ranges::move(more, std::back_inserter(problems));
}

}  // namespace

void ConfigReview::think_over(std::vector<settings::Problem> of_loader) {
  const base::WallTime now = uses_.clock.wall();
  const auto in_force = uses_.configuration.in_force();
  uses_.idle.run([&] { append(of_loader, doubts_about(*in_force, now)); });
  auto all = of_loader;
  append(all, doubts_about_certificate(*in_force, uses_.server_tls.get().get(), now));
  std::size_t logged = 0;
  for (const settings::Problem& problem : all) {
    // Control panels reload often: do not log the same warning again.
    if (!logged_.insert(problem.check + ' ' + problem.text).second) continue;
    if (++logged <= kMostShown) log_warning(uses_.log, now, problem);
  }
  uses_.configuration.warn_of(std::move(of_loader));
}

ops::ConfigWarnings ConfigReview::warnings() const {
  const auto in_force = uses_.configuration.in_force();
  const auto& tls = in_force->settings->tls;
  std::vector<settings::Problem> all;
  if (tls) {
    all = doubts_about_certificate(*in_force, uses_.server_tls.get().get(), uses_.clock.wall());
  }
  const std::string trouble = uses_.certificate_watch.trouble();
  if (!trouble.empty() && tls) {
    all.push_back({.at = position_of(*in_force->settings, tls->certificate.at),
                   .code = settings::ProblemCode::File,
                   .text = "tls: " + trouble,
                   .hint = uses_.certificate_watch.needs_restart().empty()
                               ? "until it is mended the certificate read before stays in use"
                               : "until the restart the certificate read before stays in use",
                   .warning = true,
                   .check = "certificate"});
  }
  append(all, uses_.configuration.warnings());
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
