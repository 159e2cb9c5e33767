// A life of the queue, recorded: messages come, are tried, delivered, deferred, bounced.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/powercut/simulated_disk.hpp"

namespace relay::powercut {

struct Recording {
  std::vector<Operation> operations;
  std::string database;  ///< its file name on the disk
};

/// Runs the real spool on a simulated disk, with several requests at a time so that commits are
/// shared, with checkpoints between, and a clean end.
Recording record_workload(std::uint64_t seed);

}  // namespace relay::powercut
