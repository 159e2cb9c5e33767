#include "relay/app/command_line.hpp"

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "relay/app/complaint.hpp"
#include "relay/app/unknown_command.hpp"
#include "relay/app/version.hpp"
#include "relay/base/text.hpp"

namespace relay::app {

namespace {

constexpr int kReloadSeconds = 600;

constexpr const char* kFilterWords = R"(Filter words, all of which must hold:
  01JD7Z  id:01JD7Z    an id, or the beginning of one
  to:ADDRESS-OR-DOMAIN target of the copy
  alias:…  from:…      address in RCPT, original sender; from:<> is the null sender
  domain:DOMAIN        of the address in RCPT
  mx:HOST              host or group of the last attempt
  code:4.7.28          enhanced code of the last attempt
  message-id:ID        of the header
  age:>2h  age:<5m     since it was accepted
  state:waiting        or deferred (tried before), or held
  -KEY:VALUE           the opposite
  all                  alone: every copy
Addresses, domains and codes must match as a whole; * stands for any text.)";

void add_list(CLI::App& list, Invocation& call, std::string& watch) {
  list.add_option("--limit", call.limit, "lines at most (default: 1000, with --json 10000)")
      ->check(CLI::PositiveNumber);
  list.add_option("--after", call.after, "begin where another list ended: ID/NUMBER");
  list.add_option("--watch", watch,
                  "list again every so many seconds (default: 2), until interrupted")
      ->expected(0, 1)
      ->type_name("[SECONDS]");
  list.add_option("--count", call.count, "with --watch: stop after so many lists");
}

void add_change(CLI::App& change, Invocation& call) {
  change.add_flag("--yes", call.yes, "do not ask when several messages may match");
  change.add_flag("--dry-run", call.dry_run, "only list what would change");
  change.add_option("--reason", call.reason, "reason, for the log");
}

void add_pauses(CLI::App& queue, Invocation& call) {
  const std::pair<const char*, const char*> actions[] = {
      {"pause",
       "Hold back copies that leave by a host or are for a domain or alias, later mail too"},
      {"resume", "End a pause"},
  };
  for (const auto& [name, help] : actions) {
    CLI::App* sub = queue.add_subcommand(name, help);
    sub->add_option("target", call.words, "mx:HOST-OR-GROUP, domain:DOMAIN or alias:ADDRESS")
        ->required()
        ->expected(1);
    sub->add_option("--reason", call.reason,
                    "reason, for the log; that of a pause is shown by status, too");
    if (name == std::string("pause")) {
      sub->add_option("--for", call.span, "how long: 30m, 4h, 2d (default: until resume)");
    }
  }
}

void add_queue(CLI::App& app, Invocation& call, std::string& watch) {
  CLI::App* queue = app.add_subcommand("queue", "Look at waiting mail and act on it");
  queue->require_subcommand(1);

  struct Action {
    const char* name;
    const char* help;
    bool changes;
  };

  const Action actions[] = {
      {"list", "List waiting copies, one line each", false},
      {"show", "Show one message with all its copies, and its header", false},
      {"why", "Explain one message: what was tried, what the other side said, what happens next",
       false},
      {"retry", "Try matching copies now; held copies stay held", true},
      {"hold", "Keep matching copies until they are released", true},
      {"release", "Let held copies go on", true},
      {"drop", "End matching copies without a DSN to the sender (needs --reason)", true},
      {"bounce", "End matching copies with a DSN to the sender (needs --reason)", true},
  };
  for (const Action& action : actions) {
    CLI::App* sub = queue->add_subcommand(action.name, action.help);
    sub->add_option("filter", call.words, "filter words, see below");
    sub->footer(kFilterWords);
    if (action.changes) add_change(*sub, call);
  }
  add_list(*queue->get_subcommand("list"), call, watch);
  queue->get_subcommand("show")->add_flag("--content", call.content, "the whole message");
  add_pauses(*queue, call);
  for (CLI::App* sub : queue->get_subcommands([](const CLI::App*) { return true; })) {
    sub->callback([&call, name = sub->get_name()] {
      call.verb = Verb::Queue;
      call.action = name;
    });
  }
}

/// `--watch to:x.example`: a word after --watch that is no number is a filter word.
bool take_watch(Invocation& call, bool given, const std::string& text) {
  if (!given) return true;
  const bool number = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  if (!text.empty() && !number) call.words.insert(call.words.begin(), text);
  constexpr std::uint64_t kLongest = 86'400;
  const std::uint64_t seconds = number ? std::strtoull(text.c_str(), nullptr, 10) : 2;
  if (seconds == 0 || seconds > kLongest) return false;
  call.watch = std::chrono::seconds(static_cast<std::int64_t>(seconds));
  return true;
}

std::string exit_codes() {
  std::string text = "Exit codes:";
  for (const auto& [code, meaning] : ops::kExitCodes) {
    text += fmt::format("\n  {:>2}  {}", static_cast<int>(code), meaning);
  }
  return text;
}

/// `-to:x.example` is a filter word, but CLI11 would parse it as option -t: during parsing this
/// character stands for the minus sign.
constexpr char kMinus = '\x01';

bool is_negated_word(std::string_view word) {
  const std::size_t colon = word.find(':');
  if (!word.starts_with('-') || colon == word.npos || colon < 3) return false;
  return base::is_alpha(word[1]) &&
         word.substr(1, colon - 1).find_first_not_of("abcdefghijklmnopqrstuvwxyz-") == word.npos;
}

std::vector<std::string> marked_words(int argc, const char* const* argv) {
  std::vector<std::string> words;
  bool queue = false;
  for (int i = 1; i < argc; ++i) {
    words.emplace_back(argv[i]);
    queue = queue || words.back() == "queue";
    if (queue && is_negated_word(words.back())) words.back().front() = kMinus;
  }
  return words;
}

void unmark(Invocation& call) {
  for (std::string& word : call.words) {
    if (word.starts_with(kMinus)) word.front() = '-';
  }
  if (call.reason.starts_with(kMinus)) call.reason.front() = '-';
}

void add_srs(CLI::App& app, Invocation& call) {
  CLI::App* srs = app.add_subcommand("srs", "Work with SRS addresses");
  srs->require_subcommand(1);
  const std::pair<const char*, const char*> actions[] = {
      {"encode", "Print the SRS address for a sender"},
      {"decode", "Print the address behind an SRS address of ours"},
      {"digest", "Print how the log names an address with log.redact = \"hash\""},
      {"explain", "Print family, hop, age, key, verdict and recovered address of any SRS address"},
  };
  for (const auto& [name, help] : actions) {
    CLI::App* sub = srs->add_subcommand(name, help);
    sub->add_option("address", call.words, "addresses; none: one per line from standard input");
    sub->callback([&call, action = std::string(name)] {
      call.verb = Verb::Srs;
      call.action = action;
    });
  }
}

void add_dkim(CLI::App& app, Invocation& call) {
  CLI::App* dkim = app.add_subcommand("dkim", "Work with DKIM keys");
  dkim->require_subcommand(1);
  CLI::App* sub = dkim->add_subcommand("new", "Make a key and print its DNS record");
  sub->add_option("--domain", call.domain, "signing domain (d=)")->required();
  sub->add_option("--selector", call.selector, "selector (s=)")->required();
  sub->add_option("--type", call.key_type, "kind of key")
      ->check(CLI::IsMember({"rsa", "ed25519"}))
      ->capture_default_str();
  sub->add_option("--out", call.out_file, "private key file to write (PEM, mode 0600)")->required();
  sub->callback([&call] { call.verb = Verb::DkimNew; });
}

void add_simple(CLI::App& app, Invocation& call) {
  app.add_subcommand("serve", "Run the relay in the foreground")->callback([&call] {
    call.verb = Verb::Serve;
  });
  CLI::App* check = app.add_subcommand(
      "check", "Check the configuration: errors would stop a start, warnings are likely mistakes");
  check->add_option("file", call.words, "configuration file (default: --config)")->expected(0, 1);
  check->add_flag("--strict", call.strict, "exit with 1 for warnings, too");
  check->add_flag("--dns", call.dns,
                  "ask the DNS about targets elsewhere and records of ours, too");
  check->callback([&call] { call.verb = Verb::Check; });
  app.add_subcommand("reload", "Make the running relay read its configuration again")
      ->callback([&call] { call.verb = Verb::Reload; });
  app.add_subcommand("status", "Show what the running relay is doing")->callback([&call] {
    call.verb = Verb::Status;
  });
  CLI::App* resolve =
      app.add_subcommand("resolve", "Show where mail for an address would go, and why");
  resolve->add_option("address", call.words, "recipient addresses")->required();
  resolve->callback([&call] { call.verb = Verb::Resolve; });
}

void add_verify(CLI::App& app, Invocation& call) {
  CLI::App* sub = app.add_subcommand(
      "verify", "Show what the relay would do with a stored message: DNS, verdicts, way out");
  sub->add_option("file", call.words, "the message; - is standard input")->required()->expected(1);
  sub->add_option("--ip", call.client, "address of the client")->required();
  sub->add_option("--mail-from", call.mail_from, "envelope sender; empty: the null sender")
      ->required();
  sub->add_option("--helo", call.helo, "what the client said in EHLO")->required();
  sub->add_option("--to", call.recipient, "an address of ours; its settings and targets decide");
  sub->add_option("--dns", call.zone_file, "zone file that stands for the whole DNS");
  sub->callback([&call] { call.verb = Verb::Verify; });
}

}  // namespace

std::variant<Invocation, int> parse_command_line(int argc, const char* const* argv) {
  Invocation call;
  int seconds = static_cast<int>(call.timeout.count());
  std::string watch;
  CLI::App app("srs-relay: a mail forwarder with SRS, DKIM and a durable queue", "srs-relay");
  app.set_version_flag("-V,--version", kVersion);
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("-c,--config", call.config, "configuration file")->capture_default_str();
  app.add_option("--socket", call.socket, "control socket (default: the one in the configuration)")
      ->envname("SRS_RELAY_SOCKET");
  app.add_option("--timeout", seconds, "seconds to wait for the daemon")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  app.add_flag("--json", call.json, "machine-readable output: one JSON object per line");
  add_simple(app, call);
  add_queue(app, call, watch);
  add_srs(app, call);
  add_dkim(app, call);
  add_verify(app, call);
  app.footer(exit_codes());  // added last, because subcommands added later would inherit it
  for (CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    sub->fallthrough();
    for (CLI::App* inner : sub->get_subcommands([](const CLI::App*) { return true; })) {
      inner->fallthrough();
    }
  }
  std::vector<std::string> words = marked_words(argc, argv);
  if (!words.empty() && words.front() == "help") {  // `help queue list` is `queue list --help`
    words.erase(words.begin());
    words.emplace_back("--help");
  }
  // Looked for here, because errors of the parser must be printed in this format, too.
  const bool as_json = std::ranges::find(words, "--json") != words.end();
  if (const auto complaint = unknown_command(app, words)) {
    return complain(as_json, *complaint, kExitUsage);
  }
  try {
    std::ranges::reverse(words);  // CLI11 expects them in reverse order
    app.parse(std::move(words));
  } catch (const CLI::ParseError& error) {
    if (as_json && error.get_exit_code() != 0) return complain(true, error.what(), kExitUsage);
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  unmark(call);
  const CLI::App* list = app.get_subcommand("queue")->get_subcommand("list");
  if (!take_watch(call, list->count("--watch") > 0, watch)) {
    return complain(as_json, "--watch takes seconds, from 1 to 86400", kExitUsage);
  }
  // A reload reads the configuration at low priority, which can take long on a busy host.
  if (call.verb == Verb::Reload && app.count("--timeout") == 0) seconds = kReloadSeconds;
  call.timeout = std::chrono::seconds(seconds);
  return call;
}

}  // namespace relay::app
