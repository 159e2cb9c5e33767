// Runs worlds, one seed after the other, in processes of its own: one that dies names its seed.
//   simulate --worlds 1000 --from 1 --large 0.1 --seconds 60 --jobs 2
//   simulate --seed 4711 [--size large]        one world, everything it does, aloud
// RELAY_SABOTAGE names a promise to break: tests/controls/sabotage.hpp.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/simulation/campaign.hpp"

namespace relay::simulation {
namespace {

struct Options {
  CampaignOptions campaign;
  std::optional<std::uint64_t> seed;
  std::optional<bool> large;
};

/// False: RELAY_SABOTAGE names nothing that can be broken here.
bool heed_sabotage(std::string& sabotage) {
  sabotage = controls::sabotage_asked_for();
  const auto& known = controls::kDeliverySabotages;
  return sabotage == controls::kNoSabotage || std::ranges::find(known, sabotage) != known.end();
}

std::optional<Options> parse(int count, char** words) {
  Options options;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string_view key = words[i];
    const char* value = words[i + 1];
    if (key == "--worlds") {
      options.campaign.worlds = std::strtoull(value, nullptr, 10);
    } else if (key == "--from") {
      options.campaign.from = std::strtoull(value, nullptr, 10);
    } else if (key == "--large") {
      options.campaign.large = std::strtod(value, nullptr);
    } else if (key == "--seconds") {
      options.campaign.seconds = std::strtod(value, nullptr);
    } else if (key == "--jobs") {
      options.campaign.jobs = std::strtoul(value, nullptr, 10);
    } else if (key == "--failures") {
      options.campaign.failures = std::strtoul(value, nullptr, 10);
    } else if (key == "--seed") {
      options.seed = std::strtoull(value, nullptr, 10);
    } else if (key == "--size") {
      options.large = std::string_view(value) == "large";
    } else {
      return std::nullopt;
    }
  }
  if (count % 2 == 0) return std::nullopt;
  return options;
}

int one_world(const Options& options) {
  const bool large = options.large.value_or(is_large(*options.seed, options.campaign.large));
  const World world = generate_world(*options.seed, large);
  std::fputs(describe(world).c_str(), stdout);
  const RunResult result = run_world(world, true, options.campaign.sabotage);
  for (const Violation& violation : result.violations) {
    fmt::print("VIOLATION {}: {} (at {} ms)\n", name(violation.rule), violation.text,
               violation.at_ms);
  }
  fmt::print("fingerprint {:016x}, {} transactions, {} handlers, {} s simulated\n",
             result.fingerprint, result.transactions, result.handlers,
             result.simulated.count() / 1000);
  return result.violations.empty() ? 0 : 1;
}

}  // namespace
}  // namespace relay::simulation

int main(int count, char** words) {
  using namespace relay::simulation;
  auto options = parse(count, words);
  if (options && !heed_sabotage(options->campaign.sabotage)) {
    std::fputs("simulate: RELAY_SABOTAGE names nothing that is known here\n", stderr);
    return 2;
  }
  if (!options) {
    std::fputs(
        "usage: simulate [--worlds N] [--from SEED] [--large SHARE] [--seconds LIMIT] [--jobs N]\n"
        "                [--failures N]\n"
        "       simulate --seed SEED [--size small|large] [--large SHARE]\n",
        stderr);
    return 2;
  }
  if (options->seed) return one_world(*options);
  return run_campaign(options->campaign) ? 0 : 1;
}
