// Runs many worlds and reports on them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "tests/simulation/generator.hpp"
#include "tests/simulation/world_run.hpp"

namespace relay::simulation {

struct CampaignOptions {
  std::uint64_t worlds = 1000;
  std::uint64_t from = 1;
  double large = 0.1;         ///< share of large worlds
  double seconds = 0;         ///< begins no world after that; 0: no limit
  std::size_t jobs = 1;       ///< processes
  std::size_t failures = 10;  ///< so many, and it ends
  std::string sabotage{controls::kNoSabotage};
};

/// The seed decides the size of its world, too.
bool is_large(std::uint64_t seed, double share);

/// A page about a world, for a reader of a failing one.
std::string describe(const World& world);

/// Prints each failing seed with its violations and trace, and one line in the end. True: there was
/// no failing seed.
bool run_campaign(const CampaignOptions& options);

}  // namespace relay::simulation
