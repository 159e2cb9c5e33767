// Disks that break a promise on purpose, to show that the explorer notices
// (tests/controls/sabotage.hpp).
#pragma once

#include <string_view>

#include "tests/powercut/simulated_disk.hpp"

namespace relay::powercut {

/// RELAY_SABOTAGE as a disk; null: no disk does that.
///   synchronous-off    commits do not wait for the disk: it is not told to sync database and log
///   content-unsynced   nor is it for big content
///   slot-reused-early  big content is overwritten before the commit that gives it up is on the
///   disk
Remembering* lying_disk(std::string_view sabotage);

}  // namespace relay::powercut
