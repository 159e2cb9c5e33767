#include "relay/app/serve.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "relay/app/command_line.hpp"
#include "relay/app/file_bounds.hpp"
#include "relay/app/sandbox.hpp"
#include "relay/app/wiring.hpp"

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
      relay.reload(std::nullopt, [](const ops::ReloadResult& result) {
        for (const auto& problem : result.problems) std::fprintf(stderr, "%s\n", problem.c_str());
        sd_notify(0, "READY=1");
      });
    }
    if (number == SIGUSR1) relay.reopen_log();
    if (relay.poisoned()) return false;
    if (relay.tend()) sd_notify(0, "WATCHDOG=1");
  }
}

}  // namespace

int serve(const std::string& config_path) {
  const sigset_t signals = block_signals();
  prepare_process();
  if (auto sandbox = enter_sandbox(); !sandbox) {
    std::fprintf(stderr, "srs-relay: %s\n", sandbox.error().c_str());
    return kExitTemporary;
  }
  auto given = net::InheritedSockets::take();
  if (!given) {
    std::fprintf(stderr, "srs-relay: %s\n", given.error().c_str());
    return kExitNegative;
  }
  auto parts = make_parts(config_path, Places::Judge, given->given());
  if (!parts.can_start()) {
    for (const auto& problem : parts.problems) {
      std::fprintf(stderr, "%s\n", render(problem).c_str());
    }
    return kExitConfig;
  }
  auto bounds = bounds_for(*parts.settings);
  if (auto entered = enter(bounds); !entered) {
    std::fprintf(stderr, "srs-relay: %s\n", entered.error().c_str());
    return kExitTemporary;
  }
  auto relay = Relay::open(std::move(parts), std::move(*given), std::move(bounds));
  if (!relay) {
    std::fprintf(stderr, "srs-relay: %s\n", relay.error().c_str());
    return kExitNegative;
  }
  (*relay)->start();
  sd_notify(0, "READY=1");
  const bool asked = wait_for_end(**relay, signals);
  sd_notify(0, "STOPPING=1");
  (*relay)->stop(asked ? kPatience : std::chrono::seconds(1));
  const int exit = asked ? kExitOk : kExitTemporary;
  // Everything is closed; do not wait for a configuration that is still being read.
  if ((*relay)->is_held_up()) std::_Exit(exit);
  return exit;
}

}  // namespace relay::app
