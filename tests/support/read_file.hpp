// The octets of a file.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/source_dir.hpp"

namespace relay::support {

/// "" where there is none.
inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A file of the project; `path` from its root.
inline std::string read_source(const std::string& path) {
  return read_file(std::filesystem::path(RELAY_SOURCE_DIR) / path);
}

}  // namespace relay::support
