// The command line as a value. One table of commands drives parsing, help and the golden test.
#pragma once

#include <chrono>
#include <string>
#include <variant>
#include <vector>

namespace relay::app {

enum class Verb {
  Serve,
  Check,
  Reload,
  Status,
  Queue,  ///< `action` says which
  Srs,    ///< encode, decode, explain
  DkimNew,
  Resolve,
  Verify,
};

struct Invocation {
  Verb verb = Verb::Serve;
  std::string action;              ///< "list", "why", "encode" …
  std::vector<std::string> words;  ///< addresses, filter words
  std::string config = "/etc/srs-relay/srs-relay.toml";
  std::string socket;  ///< overrides [control] socket
  std::chrono::seconds timeout{30};
  bool json = false;
  bool yes = false;
  bool dry_run = false;
  std::string reason;
  // dkim new
  std::string domain;
  std::string selector;
  std::string key_type = "ed25519";
  std::string out_file;
  // verify
  std::string client;
  std::string mail_from;
  std::string helo;
  std::string recipient;
  std::string zone_file;
};

/// Exit codes of the program (operator.md §2).
enum ExitCode : int {
  kExitOk = 0,
  kExitNegative = 1,
  kExitUsage = 2,
  kExitUnreachable = 3,
  kExitConfig = 4,
  kExitNotFound = 5,
  kExitRefused = 7,
  kExitTemporary = 75,
  kExitPermission = 77,
};

/// The invocation, or the exit code when everything is said already (--help, --version, bad usage).
std::variant<Invocation, int> parse_command_line(int argc, const char* const* argv);

}  // namespace relay::app
