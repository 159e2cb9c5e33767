// The folder of conformance vectors: $VECTORS, or shared/vectors beside the project. Any folder of
// the same form will do: with other cases, in another order, and with parts missing.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "tests/source_dir.hpp"
#include "tests/support/read_file.hpp"

namespace vectors {

inline std::filesystem::path beside_the_project() { return RELAY_SOURCE_DIR "/../shared/vectors"; }

inline std::filesystem::path folder() {
  const char* named = std::getenv("VECTORS");
  return named != nullptr ? std::filesystem::path(named) : beside_the_project();
}

/// Is it another folder than the project's own? Then nothing is known of what is in it.
inline bool other() {
  std::error_code error;
  return !std::filesystem::equivalent(folder(), beside_the_project(), error);
}

inline std::filesystem::path part(std::string_view name) { return folder() / name; }

/// Skips the running test for want of `name`, a file or folder within the folder, and says so. The
/// caller returns when this is true. In CI a folder must be there, and the project's own is whole.
inline bool missing(std::string_view name) {
  namespace fs = std::filesystem;
  const fs::path path = part(name);
  if (fs::exists(path)) return false;
  const char* ci = std::getenv("CI");
  const bool may_lack = std::getenv("VECTORS") != nullptr && fs::is_directory(folder());
  [&] {
    if (ci != nullptr && std::string_view(ci) == "true" && !may_lack) {
      FAIL() << "no vectors at " << path;
    }
    std::printf("skipped: no vectors at %s\n", path.c_str());
    GTEST_SKIP() << "no vectors at " << path;
  }();
  return true;
}

/// Skips the running test when another folder has none of `what`, and says so. The caller returns.
inline bool none(std::size_t cases, std::string_view what) {
  if (cases > 0) return false;
  [&] {
    if (!other()) FAIL() << "no " << what << " in " << folder();
    std::printf("skipped: no %s in %s\n", std::string(what).c_str(), folder().c_str());
    GTEST_SKIP() << "no " << what << " in " << folder();
  }();
  return true;
}

inline boost::json::value read(const std::filesystem::path& path) {
  return boost::json::parse(relay::support::read_file(path));
}

}  // namespace vectors
