// Restricts the files that this process can access (Landlock), so that code of an attacker inside
// it cannot reach other files of the host, whatever user it runs as (guarantee "Only the files it
// needs").
#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <vector>

namespace relay::settings {
struct Settings;
}

namespace relay::app {

/// Behind the name of a file that may not be accessed.
inline constexpr const char* kOutOfBounds =
    " is in none of the folders that were named at start, and no other is open to this process: "
    "this needs a restart";

/// Canonical paths: of folders, with everything below them, and of single files.
struct FileBounds {
  std::vector<std::filesystem::path> readable;
  std::vector<std::filesystem::path> writable;  ///< also readable
  int abi = 0;  ///< version of Landlock in force; 0: none, so that nothing is restricted

  /// Whether Landlock allows access. Links are followed; a file that does not exist may be created.
  bool may_read(const std::filesystem::path& file) const;
  bool may_write(const std::filesystem::path& file) const;
};

/// The bounds for a run with these settings. Readable: /etc, /usr, /run, the folders of all files
/// that are named, and those in which patterns of `include` begin. Writable: the folders of queue,
/// log and control socket. Creates the folders of queue and log if it can, because after enter() it
/// could not.
FileBounds bounds_for(const settings::Settings& settings);

/// Restricts this thread and those it starts later, permanently. Removes from `bounds` places that
/// do not exist, because they stay closed also when they are made later. The error is a sentence
/// for the operator.
std::expected<void, std::string> enter(FileBounds& bounds);

}  // namespace relay::app
