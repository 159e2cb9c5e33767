// A life of the queue, recorded.
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

/// How a message of the life leaves, written so that a checker can tell whether it is whole.
std::string seal_of(const base::Ulid& id);
std::string reason_of(const base::Ulid& id, std::uint16_t index);

/// Runs the real spool on a simulated disk, with several requests at a time so that commits are
/// shared, with checkpoints between, and a clean end. With an odd seed the life begins with a queue
/// of schema 1, which is migrated.
Recording record_workload(std::uint64_t seed, Remembering* remembering);

}  // namespace relay::powercut
