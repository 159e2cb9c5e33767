#include "relay/app/command_line.hpp"

#include <CLI/CLI.hpp>

#include "relay/app/version.hpp"

namespace relay::app {

namespace {

void add_queue(CLI::App& app, Invocation& call) {
  CLI::App* queue = app.add_subcommand("queue", "Look at waiting mail and act on it");
  queue->require_subcommand(1);

  struct Action {
    const char* name;
    const char* help;
    bool changes;
  };

  const Action actions[] = {
      {"list", "One line per waiting copy", false},
      {"show", "One message with all its copies", false},
      {"why", "One message: what was tried, what the other side said, what happens next", false},
      {"retry", "Try matching copies now", true},
      {"hold", "Keep matching copies until they are released", true},
      {"release", "Let held copies go on", true},
      {"drop", "Remove matching copies without a bounce (needs --reason)", true},
  };
  for (const Action& action : actions) {
    CLI::App* sub = queue->add_subcommand(action.name, action.help);
    sub->add_option("filter", call.words,
                    "message id (or its beginning), to:TEXT, from:TEXT, state:waiting|held, all");
    if (action.changes) {
      sub->add_flag("--yes", call.yes, "do not ask when several messages may match");
      sub->add_flag("--dry-run", call.dry_run, "only list what would change");
      sub->add_option("--reason", call.reason, "why; goes into the log");
    }
    sub->callback([&call, name = std::string(action.name)] {
      call.verb = Verb::Queue;
      call.action = name;
    });
  }
}

void add_srs(CLI::App& app, Invocation& call) {
  CLI::App* srs = app.add_subcommand("srs", "Work with SRS addresses");
  srs->require_subcommand(1);
  const std::pair<const char*, const char*> actions[] = {
      {"encode", "The SRS address a sender is given"},
      {"decode", "The address behind an SRS address of ours"},
      {"digest", "How the log names an address with log.redact = \"hash\""},
      {"explain", "Family, hop, age, key, verdict and recovered address of any SRS address"},
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
  CLI::App* check = app.add_subcommand("check", "Check a configuration; all problems in one run");
  check->add_option("file", call.words, "configuration file (default: --config)")->expected(0, 1);
  check->callback([&call] { call.verb = Verb::Check; });
  app.add_subcommand("reload", "Make the running relay read its configuration again")
      ->callback([&call] { call.verb = Verb::Reload; });
  app.add_subcommand("status", "What the running relay is doing")->callback([&call] {
    call.verb = Verb::Status;
  });
  CLI::App* resolve = app.add_subcommand("resolve", "Where mail for an address would go, and why");
  resolve->add_option("address", call.words, "recipient addresses")->required();
  resolve->callback([&call] { call.verb = Verb::Resolve; });
}

void add_verify(CLI::App& app, Invocation& call) {
  CLI::App* sub = app.add_subcommand(
      "verify", "What the relay would make of a stored message: DNS, verdicts, way out");
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
  CLI::App app("srs-relay: a mail forwarder with SRS, DKIM and a durable queue", "srs-relay");
  app.set_version_flag("-V,--version", kVersion);
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("-c,--config", call.config, "configuration file")->capture_default_str();
  app.add_option("--socket", call.socket, "control socket (default: the one in the configuration)");
  app.add_option("--timeout", seconds, "seconds to wait for the daemon")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  app.add_flag("--json", call.json, "machine-readable output: one JSON object per line");
  add_simple(app, call);
  add_queue(app, call);
  add_srs(app, call);
  add_dkim(app, call);
  add_verify(app, call);
  for (CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    sub->fallthrough();
    for (CLI::App* inner : sub->get_subcommands([](const CLI::App*) { return true; })) {
      inner->fallthrough();
    }
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  call.timeout = std::chrono::seconds(seconds);
  return call;
}

}  // namespace relay::app
