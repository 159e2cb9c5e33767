#include "tests/architecture/sources.hpp"

#include <algorithm>
#include <filesystem>

#include "tests/support/read_file.hpp"

namespace relay::architecture {

namespace fs = std::filesystem;

std::vector<Source> all_sources() {
  const fs::path root(RELAY_SOURCE_DIR);
  std::vector<Source> found;
  for (const char* top : {"relay", "srs"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
      const auto ending = entry.path().extension();
      if (ending != ".cpp" && ending != ".hpp") continue;
      const std::string path = entry.path().lexically_relative(root);
      found.push_back({.path = path, .text = support::read_source(path)});
    }
  }
  std::ranges::sort(found, {}, &Source::path);
  return found;
}

}  // namespace relay::architecture
