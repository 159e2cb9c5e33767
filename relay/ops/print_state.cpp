// The text for changes, pauses, status and reload.
#include <fmt/format.h>

#include "relay/base/log.hpp"
#include "relay/base/text.hpp"
#include "relay/ops/filter.hpp"
#include "relay/ops/print_text.hpp"
#include "relay/ops/relative_time.hpp"

namespace relay::ops {

namespace {

std::string rule_text(const ports::PauseRule& rule, base::WallTime now) {
  std::string out = fmt::format("{}:{}", name(rule.kind), rule.value);
  if (rule.until) {
    out += fmt::format(" until {} ({})", base::rfc3339(*rule.until), until(now, *rule.until, 2));
  }
  return base::printable(fmt::format("{}: {}", out, rule.reason)) + '\n';
}

std::string warning_lines(const ConfigWarnings& warnings) {
  std::string out;
  for (const ConfigWarning& warning : warnings.shown) {
    std::string line = warning.file;
    if (warning.line > 0) line += fmt::format(":{}:{}", warning.line, warning.column);
    line += ": " + warning.text;
    if (!warning.hint.empty()) line += " (" + warning.hint + ')';
    out += "warning " + base::printable(line) + '\n';
  }
  if (warnings.in_all > warnings.shown.size()) {
    out += fmt::format("{} more warnings: see `srs-relay check`\n",
                       warnings.in_all - warnings.shown.size());
  }
  return out;
}

std::string trouble_line(const HostTrouble& trouble, base::WallTime now) {
  std::string line = fmt::format("TROUBLE {}: {}", trouble.of, trouble.text);
  if (trouble.count > 0) line += fmt::format(" ({} times since the start", trouble.count);
  if (trouble.count > 0 && trouble.last) line += fmt::format(", last {}", ago(now, *trouble.last));
  if (trouble.count > 0) line += ')';
  return base::printable(line) + '\n';
}

}  // namespace

std::string text_lines(const ChangeView& view) {
  if (view.dry_run) return fmt::format("{} would change\n", view.changed);
  std::string out = fmt::format("{} changed, {} under way\n", view.changed, view.under_way);
  if (view.under_way > 0) {
    out += "under way: all of it is sent, and the next hop may still take it\n";
  }
  return out;
}

std::string text_lines(const PauseView& view) {
  if (view.holds) return "paused " + rule_text(view.rule, view.now);
  return base::printable(fmt::format("{}:{} goes on", name(view.rule.kind), view.rule.value)) +
         '\n';
}

std::string text_lines(const StatusView& view) {
  const DaemonStatus& state = view.daemon;
  std::string out =
      fmt::format("srs-relay {}  pid {}  up since {}\nconfig {} ({}) loaded {}\n", state.version,
                  state.pid, base::rfc3339(state.started_at), state.config_path, state.config_hash,
                  base::rfc3339(state.config_loaded_at));
  for (const HostTrouble& trouble : state.troubles) out += trouble_line(trouble, view.now);
  for (const auto& key : state.needs_restart) {
    out += "takes effect at the next start: " + base::printable(key) + '\n';
  }
  out += warning_lines(state.warnings);
  out += fmt::format(
      "sessions {}  deliveries {} ({} connections kept)  items in memory {}  crashed tasks {}  "
      "stuck {}\n",
      state.sessions_open, state.deliveries_in_flight, state.connections_kept,
      state.items_in_memory, state.crashed_tasks, state.stuck_tasks);
  if (state.log_lines_dropped > 0) {
    out += fmt::format("log {} lines dropped\n", state.log_lines_dropped);
  }
  if (view.totals) {
    out += fmt::format("queue {} messages, {} waiting, {} held, {} octets, {} with a DSN owed\n",
                       view.totals->messages, view.totals->waiting, view.totals->held,
                       view.totals->bytes, view.totals->owed_reports);
  } else {
    out += fmt::format("queue {}\n", ports::describe(view.totals.error()));
  }
  for (const auto& rule : view.pauses) out += "paused " + rule_text(rule, view.now);
  out += fmt::format("bounces {} taken, {} with an invalid address, {} put off\n",
                     state.bounces_taken, state.bounces_refused, state.bounces_throttled);
  out += fmt::format("content of {} messages refused, as malformed or too large\n",
                     state.content_refused);
  out += fmt::format("copies {} delivered, {} bounced, {} failed with nobody to tell\n",
                     state.copies_delivered, state.copies_bounced, state.copies_suppressed);
  out += fmt::format(
      "abuse {} refused by DNS lists ({} lookups failed), {} greylisted, {} passed, {} over a "
      "rate\n",
      state.clients_listed, state.dns_list_failures, state.greylisted, state.greylist_passed,
      state.over_rate);
  out += fmt::format("signatures of {} messages verified before they left, {} did not hold\n",
                     state.self_checks, state.self_check_failures);
  if (state.spool_poisoned) out += "STORAGE FAILED: see the log\n";
  if (state.draining) out += "shutting down\n";
  return out;
}

std::string text_lines(const ReloadView& view) {
  std::string out;
  // A problem has several lines, with a caret below the mistake.
  for (const auto& problem : view.problems) out += printable_lines(problem) + '\n';
  if (!view.applied) return out + "not applied; the old settings stay in force\n";
  for (const auto& key : view.needs_restart) {
    out += "takes effect at the next start: " + base::printable(key) + '\n';
  }
  out += warning_lines(view.warnings);
  return out + "applied\n";
}

}  // namespace relay::ops
