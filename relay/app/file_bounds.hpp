// Which files this process may touch, told to the kernel (Landlock): code that an attacker gets in
// finds no other file of the host, whoever it runs as.
#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <vector>

#include "relay/settings/settings.hpp"

namespace relay::app {

/// Canonical paths of folders, with all that is below them, and of single files.
struct FileBounds {
  std::vector<std::filesystem::path> readable;
  std::vector<std::filesystem::path> writable;  ///< readable, too
  int abi = 0;  ///< of Landlock, as it is in force; 0: the kernel has none, and nothing is bounded

  /// Whether the kernel lets us. Links are followed; what is not there may be made.
  bool may_read(const std::filesystem::path& file) const;
  bool may_write(const std::filesystem::path& file) const;
};

/// What a run with these settings needs: /etc, /usr, /run and the folders of all files that are
/// named, for reading; those of queue, log and control socket for writing. Makes the folders of
/// queue and log, as far as it can: afterwards it could not.
FileBounds bounds_for(const settings::Settings& settings);

/// Holds for this thread and those it starts, for good. Error: a sentence for the operator.
std::expected<void, std::string> enter(FileBounds& bounds);

}  // namespace relay::app
