#include "relay/app/serve.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string_view>

#include <fmt/format.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "relay/app/command_line.hpp"
#include "relay/app/file_bounds.hpp"
#include "relay/app/sandbox.hpp"
#include "relay/app/sanitized.hpp"
#include "relay/app/wiring.hpp"
#include "relay/base/stderr_line.hpp"
#include "relay/settings/problem.hpp"

namespace relay::app {

namespace {

// For a shutdown with sessions and deliveries under way
constexpr std::chrono::seconds kPatience{30};

/// Blocked before the first thread starts, so that only this thread receives them, by
/// sigtimedwait().
sigset_t block_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) sigaddset(&set, number);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return set;
}

void prepare_process() {
  // Memory contains keys and mail: no core files, and no tracing by other processes.
  prctl(PR_SET_DUMPABLE, 0);
  rlimit descriptors{};
  if (getrlimit(RLIMIT_NOFILE, &descriptors) == 0) {
    descriptors.rlim_cur = std::min<rlim_t>(descriptors.rlim_max, 65'536);
    setrlimit(RLIMIT_NOFILE, &descriptors);
  }
}

/// Waits for signals until the process shall end. True: asked to end; false: the storage failed.
bool wait_for_end(Relay& relay, const sigset_t& signals) {
  while (true) {
    const timespec second{.tv_sec = 1, .tv_nsec = 0};
    const int number = sigtimedwait(&signals, nullptr, &second);
    if (number == SIGTERM || number == SIGINT) return true;
    if (number == SIGHUP) {
      sd_notify(0, "RELOADING=1");
      // The reload itself logs what is wrong with the configuration.
      relay.reload(std::nullopt, [](const ops::ReloadResult&) { sd_notify(0, "READY=1"); });
    }
    if (number == SIGUSR1) relay.reopen_log();
    if (relay.poisoned()) return false;
    if (relay.tend()) sd_notify(0, "WATCHDOG=1");
  }
}

/// Says why there is no start; there is no log yet. Returns `exit`.
int refuse(std::string_view why, int exit) {
  base::say_on_stderr(base::Severity::Error, fmt::format("srs-relay: {}", why));
  return exit;
}

/// Ends the process after Relay::stop(), when everything is written and closed. Freeing what is
/// left, piece by piece, would take longer than all of that: there may be a million aliases. A
/// configuration that is still being read is not waited for, either.
int end(std::unique_ptr<Relay>& relay, int exit) {
  // Sanitizers look for leaks when the process ends by itself.
  if (!kSanitized || relay->is_held_up()) std::_Exit(exit);
  relay.reset();
  return exit;
}

}  // namespace

int serve(const std::string& config_path, const Seams& seams) {
  const sigset_t signals = block_signals();
  prepare_process();
  if (auto sandbox = enter_sandbox(); !sandbox) return refuse(sandbox.error(), kExitTemporary);
  auto given = net::InheritedSockets::take();
  if (!given) return refuse(given.error(), kExitNegative);
  auto parts = make_parts(config_path, Places::Judge, given->given());
  if (!parts.can_start()) {
    for (const auto& problem : parts.problems) {
      base::say_on_stderr(problem.warning ? base::Severity::Warning : base::Severity::Error,
                          render(problem));
    }
    return kExitConfig;
  }
  auto bounds = bounds_for(*parts.settings);
  if (auto entered = enter(bounds); !entered) return refuse(entered.error(), kExitTemporary);
  auto relay = Relay::open(std::move(parts), std::move(*given), std::move(bounds), seams);
  if (!relay) return refuse(relay.error(), kExitNegative);
  (*relay)->start();
  sd_notify(0, "READY=1");
  const bool asked = wait_for_end(**relay, signals);
  sd_notify(0, "STOPPING=1");
  (*relay)->stop(asked ? kPatience : std::chrono::seconds(1));
  return end(*relay, asked ? kExitOk : kExitTemporary);
}

}  // namespace relay::app
