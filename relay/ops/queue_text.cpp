#include "relay/ops/queue_text.hpp"

#include <chrono>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

namespace relay::ops {

namespace json = boost::json;

namespace {

std::string text_of(const json::object& o, std::string_view key) {
  const json::value* value = o.if_contains(key);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::int64_t number_of(const json::object& o, std::string_view key) {
  const json::value* value = o.if_contains(key);
  if (!value) return 0;
  if (value->is_int64()) return value->get_int64();
  return value->is_uint64() ? static_cast<std::int64_t>(value->get_uint64()) : 0;
}

/// Control octets never reach the terminal: remote text is part of what is shown.
std::string printable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  return text;
}

std::string sender_or_null(const std::string& sender) { return sender.empty() ? "<>" : sender; }

std::string attempt_line(const json::object& attempt) {
  std::string line = fmt::format("{}  {}", text_of(attempt, "at"), text_of(attempt, "stage"));
  if (const auto host = text_of(attempt, "host"); !host.empty()) {
    line +=
        fmt::format("  {} [{}]:{}", host, text_of(attempt, "address"), number_of(attempt, "port"));
    const auto tls = text_of(attempt, "tls");
    line += "  " + (tls.empty() ? "in the clear" : tls);
  }
  const auto code = number_of(attempt, "code");
  const std::string reply =
      code != 0 ? fmt::format("{} {} ", code, text_of(attempt, "enhanced")) : std::string();
  return printable(line) + "\n      " + printable(reply + text_of(attempt, "text"));
}

std::string row_text(const json::object& row) {
  std::string line =
      fmt::format("{}  {:<8} {:>3}x  {} -> {} -> {}", text_of(row, "id"), text_of(row, "state"),
                  number_of(row, "attempts"), sender_or_null(text_of(row, "mail_from")),
                  text_of(row, "alias"), text_of(row, "target"));
  if (const json::value* last = row.if_contains("last")) {
    const auto& attempt = last->as_object();
    line += fmt::format("  ({} {})", number_of(attempt, "code"), text_of(attempt, "text"));
  }
  return printable(line) + '\n';
}

bool flag_of(const json::object& o, std::string_view key) {
  const json::value* value = o.if_contains(key);
  return value && value->is_bool() && value->get_bool();
}

/// Why it leaves as it does, and how that is.
std::string how_text(const json::object& handling) {
  const std::string reason = text_of(handling, "reason");
  return fmt::format("{}({}{}, {} pool)", reason.empty() ? "" : reason + "  ",
                     flag_of(handling, "seal") ? "sealed" : "not sealed",
                     flag_of(handling, "new_author") ? ", new author" : "",
                     text_of(handling, "pool"));
}

std::string pace_text(const json::object& pace) {
  return fmt::format("waits for the risk pool: {} copies in {} s to this destination, {} before it",
                     number_of(pace, "copies"), number_of(pace, "span_s"),
                     number_of(pace, "before"));
}

void append_copy(std::string& out, const json::object& copy) {
  out += printable(fmt::format("  copy {}   {} -> {}   {}, attempt {}", number_of(copy, "index"),
                               text_of(copy, "alias"), text_of(copy, "target"),
                               text_of(copy, "state"), number_of(copy, "attempts")));
  out += printable(fmt::format("\n    sender {}", sender_or_null(text_of(copy, "sender"))));
  if (const json::value* handling = copy.if_contains("handling")) {
    out += "\n    how    " + printable(how_text(handling->as_object()));
  }
  if (const json::value* last = copy.if_contains("last")) {
    out += "\n    last   " + attempt_line(last->as_object());
  }
  if (const auto next = text_of(copy, "next_attempt"); !next.empty()) {
    out += "\n    next   " + next;
  }
  if (const json::value* pace = copy.if_contains("paced")) {
    out += "\n    pace   " + pace_text(pace->as_object());
  }
  if (text_of(copy, "state") == "held") {
    const json::value* handling = copy.if_contains("handling");
    const std::string awaits = handling ? text_of(handling->as_object(), "awaits_consent") : "";
    if (!awaits.empty()) {
      out += "\n    note   waits until the target is confirmed: " + printable(awaits);
    }
    out += "\n    note   held, never expires: `queue release` lets it go, `queue drop` ends it";
  }
  if (flag_of(copy, "possible_duplicate")) {
    out += "\n    note   an earlier attempt may have delivered this copy";
  }
  out += '\n';
}

std::string message_text(const json::object& message) {
  std::string out = printable(
      fmt::format("{}  from {}  received {}  {} octets  client {}", text_of(message, "id"),
                  sender_or_null(text_of(message, "mail_from")), text_of(message, "received"),
                  number_of(message, "size"), text_of(message, "client")));
  out += '\n';
  for (const auto& copy : message.at("copies").as_array()) append_copy(out, copy.as_object());
  if (const json::value* history = message.if_contains("history")) {
    if (!history->as_array().empty()) out += "  history\n";
    for (const auto& attempt : history->as_array()) {
      out += "    " + attempt_line(attempt.as_object()) + '\n';
    }
  }
  return out;
}

std::string status_text(const json::object& status) {
  std::string out = fmt::format("srs-relay {}  pid {}  up since {}\nconfig {} ({}) loaded {}\n",
                                text_of(status, "version"), number_of(status, "pid"),
                                text_of(status, "started"), text_of(status, "config"),
                                text_of(status, "config_hash"), text_of(status, "config_loaded"));
  out += fmt::format("sessions {}  deliveries {}  items in memory {}  crashed tasks {}  stuck {}\n",
                     number_of(status, "sessions"), number_of(status, "deliveries"),
                     number_of(status, "items_in_memory"), number_of(status, "crashed_tasks"),
                     number_of(status, "stuck_tasks"));
  if (const json::value* queue = status.if_contains("queue")) {
    const auto& totals = queue->as_object();
    out += fmt::format("queue {} messages, {} waiting, {} held, {} octets\n",
                       number_of(totals, "messages"), number_of(totals, "waiting"),
                       number_of(totals, "held"), number_of(totals, "bytes"));
  }
  if (const json::value* bounces = status.if_contains("bounces")) {
    const auto& totals = bounces->as_object();
    out += fmt::format("bounces {} taken, {} with an invalid address, {} put off\n",
                       number_of(totals, "taken"), number_of(totals, "refused"),
                       number_of(totals, "throttled"));
  }
  if (const json::value* ended = status.if_contains("ended")) {
    const auto& totals = ended->as_object();
    out += fmt::format("copies {} delivered, {} bounced, {} failed with nobody to tell\n",
                       number_of(totals, "delivered"), number_of(totals, "bounced"),
                       number_of(totals, "suppressed"));
  }
  if (const json::value* abuse = status.if_contains("abuse")) {
    const auto& totals = abuse->as_object();
    out += fmt::format(
        "abuse {} refused by DNS lists ({} lookups failed), {} greylisted, {} passed, {} over a "
        "rate\n",
        number_of(totals, "listed"), number_of(totals, "list_failures"),
        number_of(totals, "greylisted"), number_of(totals, "greylist_passed"),
        number_of(totals, "over_rate"));
  }
  if (status.contains("self_checks")) {
    out += fmt::format("signatures of {} messages verified before they left, {} did not hold\n",
                       number_of(status, "self_checks"), number_of(status, "self_check_failures"));
  }
  if (status.at("spool_poisoned").as_bool()) out += "STORAGE FAILED: see the log\n";
  if (status.at("draining").as_bool()) out += "shutting down\n";
  return out;
}

std::string reload_text(const json::object& result) {
  std::string out;
  for (const auto& problem : result.at("problems").as_array()) {
    out += std::string(problem.as_string()) + '\n';
  }
  if (!result.at("applied").as_bool()) return out + "not applied; the old settings stay in force\n";
  for (const auto& key : result.at("needs_restart").as_array()) {
    out += "takes effect at the next start: " + std::string(key.as_string()) + '\n';
  }
  return out + "applied\n";
}

std::string object_text(const std::string& verb, const json::object& object) {
  if (object.contains("error")) return printable(text_of(object, "error")) + '\n';
  if (object.contains("changed")) return fmt::format("{} changed\n", number_of(object, "changed"));
  if (object.contains("truncated")) {
    return fmt::format("… only the first {} shown\n", number_of(object, "listed"));
  }
  if (object.contains("copies")) return message_text(object);
  if (verb == "status") return status_text(object);
  if (verb == "reload") return reload_text(object);
  return row_text(object);
}

}  // namespace

std::string render_text(const std::string& verb, const std::vector<json::object>& objects) {
  std::string out;
  for (const auto& object : objects) out += object_text(verb, object);
  if (verb == "queue.list" && objects.empty()) out = "nothing in the queue matches\n";
  return out;
}

}  // namespace relay::ops
