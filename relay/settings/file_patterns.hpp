// The files that a pattern with wildcards stands for.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "relay/settings/files.hpp"

namespace relay::settings {

/// Whether `pattern` can match several paths, as glob(7) reads it.
bool has_wildcard(std::string_view pattern);

/// The folder in which the matches of `pattern` are looked for: its longest beginning of whole
/// names without a wildcard. All matches are below it, but for links that lead elsewhere.
std::filesystem::path fixed_folder_of(const std::filesystem::path& pattern);

struct Matches {
  std::vector<std::string> files;  ///< sorted
  /// Places that could not be looked into, though they are there: files of the pattern may be
  /// missing. "cannot read /etc/panel: Permission denied".
  std::vector<FileError> errors;
};

/// What is there of `pattern`. A path without wildcards that does not exist is no error.
Matches files_matching(const std::string& pattern);

}  // namespace relay::settings
