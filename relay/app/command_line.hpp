// The parsed command line. One table of commands drives parsing, help, "did you mean" and the
// golden test of the help text.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "relay/ops/exit_code.hpp"

namespace relay::app {

enum class Verb {
  Serve,
  Check,
  Reload,
  Status,
  Queue,  ///< see `action`
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
  // check
  bool strict = false;
  bool dns = false;
  // queue
  bool dry_run = false;
  std::string reason;
  bool content = false;                ///< show: the whole content, not only the header
  std::optional<std::uint64_t> limit;  ///< list: most lines
  std::string after;                   ///< list: continue where another list ended
  std::optional<std::chrono::seconds> watch;
  std::uint64_t count = 0;  ///< list: repetitions with watch; 0: until interrupted
  std::string span;         ///< pause: how long
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

/// Short names of ops::ExitCode for main().
enum ExitCode : int {
  kExitOk = static_cast<int>(ops::ExitCode::Ok),
  kExitNegative = static_cast<int>(ops::ExitCode::Negative),
  kExitUsage = static_cast<int>(ops::ExitCode::Usage),
  kExitUnreachable = static_cast<int>(ops::ExitCode::Unreachable),
  kExitConfig = static_cast<int>(ops::ExitCode::InvalidConfig),
  kExitNotFound = static_cast<int>(ops::ExitCode::NotFound),
  kExitRefused = static_cast<int>(ops::ExitCode::Refused),
  kExitTemporary = static_cast<int>(ops::ExitCode::Temporary),
  kExitPermission = static_cast<int>(ops::ExitCode::Permission),
};

/// The invocation, or the exit code when everything has been printed already (--help, --version,
/// bad usage).
std::variant<Invocation, int> parse_command_line(int argc, const char* const* argv);

}  // namespace relay::app
