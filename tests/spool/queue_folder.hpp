// Where a test keeps its queue: in memory where that is possible. Disks are simulated (fault_vfs,
// powercut), and a thousand real syncs would take minutes on a busy machine.
#pragma once

#include <filesystem>
#include <string>

#include <unistd.h>

namespace relay::spool {

inline std::filesystem::path queue_folder(const std::string& name) {
  const std::filesystem::path memory = "/dev/shm";
  const bool there = ::access(memory.c_str(), W_OK) == 0;
  return (there ? memory : std::filesystem::temp_directory_path()) /
         ("srs-relay-" + name + "-" + std::to_string(::getpid()));
}

}  // namespace relay::spool
