#include "tests/simulation/campaign.hpp"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <ctime>
#include <new>
#include <vector>

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

namespace relay::simulation {

namespace {

constexpr std::size_t kMaxJobs = 64;
constexpr std::size_t kMaxFailures = 256;
constexpr time_t kProcessSeconds = 120;  // of CPU for one world: it hangs

/// What the processes share.
struct Board {
  std::atomic<std::uint64_t> next{0};
  std::atomic<std::uint64_t> done{0};
  std::atomic<std::uint64_t> transactions{0};
  std::atomic<std::uint64_t> simulated_ms{0};
  std::atomic<std::uint64_t> cpu_ms{0};
  std::atomic<std::uint64_t> failures{0};
  std::array<std::atomic<std::uint64_t>, kMaxFailures> failing{};
  std::array<std::atomic<std::uint64_t>, kMaxJobs> at{};  ///< seed of each process; 0: none
};

double seconds_of(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

void fail(Board& board, std::uint64_t seed) {
  const auto at = board.failures.fetch_add(1);
  if (at < kMaxFailures) board.failing[at] = seed;
}

void report(std::uint64_t seed, bool large, const RunResult& result) {
  std::string text = fmt::format("seed {} ({}):\n", seed, large ? "large" : "small");
  for (const Violation& violation : result.violations) {
    const std::string copy =
        violation.copy == kNoCopy
            ? "-"
            : fmt::format("{}-{}", violation.copy.message, violation.copy.index);
    text += fmt::format("  {}: copy {} at {} ms: {}\n", name(violation.rule), copy, violation.at_ms,
                        violation.text);
  }
  constexpr std::size_t kShown = 6000;
  std::string_view trace = result.trace;
  if (trace.size() > kShown) trace.remove_prefix(trace.size() - kShown);
  text.append(trace);
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

/// CPU time after which the process dies; 0: never. CPU time, because a busy machine is no hang.
void limit_cpu(time_t seconds) {
  const itimerval limit{.it_interval = {}, .it_value = {.tv_sec = seconds, .tv_usec = 0}};
  setitimer(ITIMER_PROF, &limit, nullptr);
}

void work(Board& board, const CampaignOptions& options, std::size_t job, double until) {
  for (;;) {
    const std::uint64_t number = board.next.fetch_add(1);
    const bool enough = board.failures.load() >= options.failures;
    const bool late = until > 0 && seconds_of(CLOCK_MONOTONIC) >= until;
    if (number >= options.worlds || enough || late) break;
    const std::uint64_t seed = options.from + number;
    board.at[job] = seed;
    limit_cpu(kProcessSeconds);
    const bool large = is_large(seed, options.large);
    const RunResult result = run_world(generate_world(seed, large), false, options.sabotage);
    limit_cpu(0);
    board.transactions += result.transactions;
    board.simulated_ms += static_cast<std::uint64_t>(result.simulated.count());
    ++board.done;
    if (!result.violations.empty()) {
      fail(board, seed);
      report(seed, large, result);
    }
    board.at[job] = 0;
  }
  board.cpu_ms += static_cast<std::uint64_t>(seconds_of(CLOCK_PROCESS_CPUTIME_ID) * 1000);
}

/// Keeps the processes going. A process that dies has found something, and another takes its place.
void watch(Board& board, const CampaignOptions& options, double until) {
  std::vector<pid_t> jobs(std::min(options.jobs, kMaxJobs), 0);
  const auto begin = [&](std::size_t job) {
    std::fflush(stdout);
    jobs[job] = fork();
    if (jobs[job] != 0) return;
    work(board, options, job, until);
    std::fflush(stdout);
    _exit(0);
  };
  for (std::size_t job = 0; job < jobs.size(); ++job) begin(job);
  std::size_t running = jobs.size();
  while (running > 0) {
    int status = 0;
    const pid_t ended = wait(&status);
    if (ended <= 0) break;
    const auto job = static_cast<std::size_t>(std::ranges::find(jobs, ended) - jobs.begin());
    const std::uint64_t seed = board.at[job].exchange(0);
    if (seed == 0) {
      --running;
      continue;
    }
    fmt::print("seed {}: the process died, status {:#x}\n", seed, status);
    fail(board, seed);
    begin(job);
  }
}

}  // namespace

bool is_large(std::uint64_t seed, double share) {
  std::uint64_t state = seed ^ 0x1A26EU;
  return static_cast<double>(splitmix(state) >> 11U) * 0x1.0p-53 < share;
}

bool run_campaign(const CampaignOptions& options) {
  void* const memory =
      mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return false;
  Board& board = *new (memory) Board;
  const double begun = seconds_of(CLOCK_MONOTONIC);
  watch(board, options, options.seconds > 0 ? begun + options.seconds : 0);
  const auto failures = std::min<std::uint64_t>(board.failures, kMaxFailures);
  std::string failing;
  for (std::uint64_t i = 0; i < failures; ++i) {
    failing += ' ' + std::to_string(board.failing[i].load());
  }
  fmt::print(
      "{} worlds, {} attempts, {:.0f} h simulated, {:.1f} s, {:.1f} s of CPU, failing seeds:{}\n",
      board.done.load(), board.transactions.load(),
      static_cast<double>(board.simulated_ms.load()) / 3'600'000,
      seconds_of(CLOCK_MONOTONIC) - begun, static_cast<double>(board.cpu_ms.load()) / 1000,
      failing.empty() ? " none" : failing);
  return failures == 0;
}

}  // namespace relay::simulation
