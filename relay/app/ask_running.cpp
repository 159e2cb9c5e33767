// The verbs that the running daemon answers: queue, status, reload.
#include <iostream>
#include <thread>

#include <boost/json/array.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "relay/app/commands.hpp"
#include "relay/app/complaint.hpp"
#include "relay/app/control_client.hpp"
#include "relay/base/text.hpp"
#include "relay/ops/filter.hpp"
#include "relay/settings/control_socket.hpp"

namespace relay::app {

namespace json = boost::json;

namespace {

constexpr std::uint64_t kLinesForPeople = 1000;

std::string verb_of(const Invocation& call) {
  if (call.verb == Verb::Status) return "status";
  if (call.verb == Verb::Reload) return "reload";
  return "queue." + call.action;
}

/// Whether the verb changes the state of copies.
bool changes_copies(const Invocation& call) {
  constexpr std::array<std::string_view, 5> kChanges{"retry", "hold", "release", "drop", "bounce"};
  return call.verb == Verb::Queue && std::ranges::find(kChanges, call.action) != kChanges.end();
}

/// Sends only the options that were given, because the daemon refuses fields it does not expect.
json::object request_for(const Invocation& call) {
  json::object request{{"v", 1}, {"verb", verb_of(call)}};
  if (!call.json) request["format"] = "text";
  if (call.verb != Verb::Queue) return request;
  json::array filter;
  for (const auto& word : call.words) filter.emplace_back(word);
  request["filter"] = std::move(filter);
  request["progress"] = true;
  if (!call.reason.empty()) request["reason"] = call.reason;
  if (call.dry_run) request["dry_run"] = true;
  if (call.content) request["content"] = true;
  if (!call.after.empty()) request["after"] = call.after;
  if (!call.span.empty()) request["for"] = call.span;
  if (call.limit) {
    request["limit"] = static_cast<std::int64_t>(*call.limit);
  } else if (call.action == "list" && !call.json) {
    request["limit"] = static_cast<std::int64_t>(kLinesForPeople);
  }
  return request;
}

/// Changes that may match several messages need a confirmation on a terminal, and --yes elsewhere.
bool may_change(const Invocation& call) {
  if (!changes_copies(call) || call.dry_run || call.yes) return true;
  const auto filter = ops::parse_selection(call.words);
  if (!filter || !ops::is_bulk(*filter)) return true;  // the daemon's answer explains the mistake
  if (::isatty(STDIN_FILENO) == 0) {
    complain(call.json, "this may match several messages; say --yes, or --dry-run first", 0);
    return false;
  }
  std::cerr << "This may match several messages. " << call.action << " them? [y/N] ";
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "yes";
}

std::string_view text_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string())
                                                : std::string_view();
}

/// Prints the lines of an answer as they come.
class Printer {
 public:
  explicit Printer(const Invocation& call)
      : json_(call.json), progress_(changes_copies(call) && ::isatty(STDERR_FILENO) != 0) {}

  ~Printer() { clear_progress(); }

  Printer(const Printer&) = delete;
  Printer& operator=(const Printer&) = delete;

  void take(const std::string& line, const json::object& object) {
    if (const json::value* count = object.if_contains("progress")) {
      if (progress_ && count->is_number()) show_progress(count->to_number<std::uint64_t>());
      return;
    }
    clear_progress();
    if (json_) {
      std::cout << line << '\n';
    } else if (object.contains("error")) {
      std::string text;
      base::append_printable(text, text_of(object, "error"), true);
      std::cerr << text << (text.ends_with('\n') ? "" : "\n");
    } else {
      std::cout << text_of(object, "text");
    }
  }

 private:
  void show_progress(std::uint64_t count) {
    std::cerr << '\r' << count << " changed so far";
    shown_ = true;
  }

  void clear_progress() {
    if (std::exchange(shown_, false)) std::cerr << "\r\x1b[K";
  }

  const bool json_;
  const bool progress_;
  bool shown_ = false;
};

int ask_once(const Invocation& call, const settings::ControlSocket& socket) {
  Printer printer(call);
  const auto exit = ask_daemon(
      socket.path, request_for(call), call.timeout,
      [&](const std::string& line, const json::object& object) { printer.take(line, object); });
  std::cout.flush();
  if (exit) return *exit;
  std::string text = exit.error().text;
  if (!socket.reason.empty()) text += " (" + socket.reason + ')';
  return complain(call.json, text, exit.error().forbidden ? kExitPermission : kExitUnreachable);
}

/// Repeats the request until it fails or has been made `count` times.
int watch(const Invocation& call, const settings::ControlSocket& socket) {
  const bool screen = !call.json && ::isatty(STDOUT_FILENO) != 0;
  int exit = kExitOk;
  for (std::uint64_t i = 0; exit == kExitOk && (call.count == 0 || i < call.count); ++i) {
    if (i > 0) std::this_thread::sleep_for(*call.watch);
    if (screen) std::cout << "\x1b[H\x1b[2J";
    exit = ask_once(call, socket);
  }
  return exit;
}

}  // namespace

int ask_running(const Invocation& call) {
  // Only the control socket is read: the rest of the configuration may be invalid or unreadable for
  // us.
  const settings::ControlSocket socket =
      call.socket.empty() ? settings::find_control_socket(call.config)
                          : settings::ControlSocket{.path = call.socket, .reason = {}};
  if (!may_change(call)) return kExitRefused;
  return call.watch ? watch(call, socket) : ask_once(call, socket);
}

}  // namespace relay::app
