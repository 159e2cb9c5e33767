#include "relay/ops/print_json.hpp"

#include "relay/base/log.hpp"
#include "relay/mail/outcome.hpp"
#include "relay/mail/reply_text.hpp"
#include "relay/ops/copy_name.hpp"
#include "relay/ops/filter.hpp"
#include "relay/ops/json_line.hpp"

namespace relay::ops {

namespace {

std::string_view state_name(mail::RecipientState state) {
  switch (state) {
    case mail::RecipientState::Waiting:
      return "waiting";
    case mail::RecipientState::Held:
      return "held";
    case mail::RecipientState::Delivered:
      return "delivered";
    case mail::RecipientState::Failed:
      return "failed";
    case mail::RecipientState::StandsBy:
      return "stands-by";
  }
  return "waiting";
}

std::string_view reason_name(ports::Waiting::For what) {
  switch (what) {
    case ports::Waiting::For::Rate:
      return "rate";
    case ports::Waiting::For::Pause:
      return "pause";
    case ports::Waiting::For::Outage:
      return "outage";
    case ports::Waiting::For::Connection:
      return "connection";
  }
  return "connection";
}

void add_attempt(JsonLine& json, const mail::DeliveryAttempt& attempt) {
  json.text("at", base::rfc3339(attempt.at)).text("host", attempt.host);
  json.text("address", attempt.address).number("port", std::uint64_t{attempt.port});
  json.text("tls", attempt.tls).text("stage", mail::name(attempt.stage));
  json.number("code", std::int64_t{attempt.code}).text("enhanced", attempt.status.to_string());
  json.text("text", mail::words_of(attempt)).text("tls_policy", mail::name(attempt.tls_policy));
  json.text("tls_result", mail::name(attempt.tls_result));
}

void add_handling(JsonLine& json, const ports::QueueRow& row) {
  const mail::Handling& handling = row.handling;
  json.open("handling").flag("seal", handling.seal);
  json.text("pool", handling.risk_pool ? "risk" : "ordinary");
  json.flag("new_author", handling.new_author).flag("held_on_entry", row.held_on_entry);
  json.text("awaits_consent", row.awaits).text("reason", handling.reason).close();
}

void add_copy(JsonLine& json, const ports::QueueRow& row) {
  json.number("index", std::uint64_t{row.copy.index}).text("alias", row.alias);
  json.text("target", row.target).text("sender", row.sender);
  add_handling(json, row);
  json.text("state", state_name(row.state)).number("attempts", std::uint64_t{row.attempts});
  if (row.state == mail::RecipientState::Waiting) {
    json.text("next_attempt", base::rfc3339(row.next_due));
  }
  if (row.released_at != base::WallTime{}) {
    json.text("released", base::rfc3339(row.released_at));
  }
  json.flag("possible_duplicate", row.possible_duplicate).flag("warned", row.warned);
  if (row.end != mail::End::None) json.text("end", mail::name(row.end));
  if (row.last.at != base::WallTime{}) {
    json.open("last");
    add_attempt(json, row.last);
    json.close();
  }
}

/// What all copies of a message share, from any of their rows.
void add_message(JsonLine& json, const ports::QueueRow& row) {
  json.text("id", row.copy.message.to_string()).text("received", base::rfc3339(row.received_at));
  json.text("mail_from", row.mail_from).number("size", row.size).text("client", row.client);
  json.text("message_id", row.message_id);
}

void add_waiting(JsonLine& json, const ports::Waiting& waits) {
  json.open("waits_for").text("for", reason_name(waits.what));
  json.number("before", std::uint64_t{waits.copies_before}).text("text", waits.text).close();
  if (waits.what != ports::Waiting::For::Rate) return;
  json.open("paced").number("before", std::uint64_t{waits.copies_before});
  json.number("copies", std::uint64_t{waits.copies});
  json.number("span_s", std::int64_t{waits.span.count()}).close();
}

void add_rule(JsonLine& json, const ports::PauseRule& rule) {
  json.text("kind", name(rule.kind)).text("value", rule.value).text("reason", rule.reason);
  json.text("since", base::rfc3339(rule.since));
  if (rule.until) json.text("until", base::rfc3339(*rule.until));
}

void add_warnings(JsonLine& json, const ConfigWarnings& warnings) {
  json.objects("warnings", warnings.shown, [](JsonLine& entry, const ConfigWarning& warning) {
    entry.text("file", warning.file).number("line", warning.line);
    entry.number("column", warning.column).text("text", warning.text);
    if (!warning.hint.empty()) entry.text("hint", warning.hint);
    if (!warning.check.empty()) entry.text("check", warning.check);
  });
  json.number("warnings_in_all", warnings.in_all);
}

void add_trouble(JsonLine& entry, const HostTrouble& trouble) {
  entry.text("of", trouble.of).text("text", trouble.text).number("count", trouble.count);
  if (trouble.last) entry.text("last", base::rfc3339(*trouble.last));
}

void add_daemon(JsonLine& json, const DaemonStatus& state) {
  json.text("version", state.version).number("pid", state.pid);
  json.text("started", base::rfc3339(state.started_at)).text("config", state.config_path);
  json.text("config_hash", state.config_hash);
  json.text("config_loaded", base::rfc3339(state.config_loaded_at));
  json.number("sessions", state.sessions_open).number("deliveries", state.deliveries_in_flight);
  json.number("connections_kept", state.connections_kept);
  json.number("items_in_memory", state.items_in_memory);
  json.number("crashed_tasks", state.crashed_tasks);
  json.number("log_lines_dropped", state.log_lines_dropped);
  json.number("stuck_tasks", state.stuck_tasks);
  json.open("bounces").number("taken", state.bounces_taken);
  json.number("refused", state.bounces_refused).number("throttled", state.bounces_throttled);
  json.close().number("content_refused", state.content_refused);
  json.open("ended").number("delivered", state.copies_delivered);
  json.number("bounced", state.copies_bounced).number("suppressed", state.copies_suppressed);
  json.close().open("abuse").number("listed", state.clients_listed);
  json.number("list_failures", state.dns_list_failures).number("greylisted", state.greylisted);
  json.number("greylist_passed", state.greylist_passed).number("over_rate", state.over_rate);
  json.close().number("self_checks", state.self_checks);
  json.number("self_check_failures", state.self_check_failures);
  json.flag("spool_poisoned", state.spool_poisoned).flag("draining", state.draining);
  json.texts("needs_restart", state.needs_restart);
  json.objects("troubles", state.troubles, add_trouble);
  add_warnings(json, state.warnings);
}

}  // namespace

std::string json_lines(const ListPage& page) {
  std::string out;
  for (const auto& row : page.rows) {
    JsonLine json;
    add_message(json, row);
    add_copy(json, row);
    out += std::move(json).line();
  }
  return out;
}

std::string json_lines(const MessageView& view) {
  JsonLine json;
  const ports::QueueRow& first = view.copies.front();
  add_message(json, first);
  json.text("helo", first.helo).text("tls", first.tls);
  json.objects("copies", view.copies, add_copy);
  json.text("header", view.header).flag("header_cut", view.header_cut);
  return std::move(json).line();
}

std::string json_lines(const WhyView& view) {
  JsonLine json;
  const ports::QueueRow& first = view.copies.front().row;
  add_message(json, first);
  json.text("helo", first.helo).text("tls", first.tls);
  json.objects("copies", view.copies, [](JsonLine& copy, const CopyOutlook& outlook) {
    add_copy(copy, outlook.row);
    if (outlook.expires) copy.text("expires", base::rfc3339(*outlook.expires));
    if (outlook.waits_for) add_waiting(copy, *outlook.waits_for);
  });
  json.objects("history", view.history, [](JsonLine& entry, const ports::AttemptRow& row) {
    add_attempt(entry, row.attempt);
    entry.number("index", std::uint64_t{row.index});
  });
  return std::move(json).line();
}

std::string json_lines(const ChangeView& view) {
  JsonLine json;
  if (view.dry_run) {
    json.flag("dry_run", true).number("would_change", view.changed);
  } else {
    json.number("changed", view.changed).number("under_way", view.under_way);
  }
  return std::move(json).line();
}

std::string json_lines(const PauseView& view) {
  JsonLine json;
  json.open("pause");
  add_rule(json, view.rule);
  json.close().flag("holds", view.holds);
  return std::move(json).line();
}

std::string json_lines(const StatusView& view) {
  JsonLine json;
  add_daemon(json, view.daemon);
  if (view.totals) {
    json.open("queue").number("messages", view.totals->messages);
    json.number("waiting", view.totals->waiting).number("held", view.totals->held);
    json.number("bytes", view.totals->bytes).number("owed_reports", view.totals->owed_reports);
    json.close();
  } else {
    json.text("queue_error", ports::describe(view.totals.error()));
  }
  json.objects("pauses", view.pauses, add_rule);
  return std::move(json).line();
}

std::string json_lines(const ReloadView& view) {
  JsonLine json;
  json.flag("applied", view.applied).texts("problems", view.problems);
  json.texts("needs_restart", view.needs_restart);
  add_warnings(json, view.warnings);
  return std::move(json).line();
}

std::string json_more(std::size_t listed, const mail::CopyId& next) {
  JsonLine json;
  json.flag("truncated", true).number("listed", std::uint64_t{listed});
  json.text("next", copy_name(next));
  return std::move(json).line();
}

std::string json_content(std::string_view piece) {
  JsonLine json;
  json.text("content", piece);
  return std::move(json).line();
}

}  // namespace relay::ops
