// Compares with what was recorded. After a change on purpose UPDATE_GOLDEN=1 records anew.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/read_file.hpp"

namespace relay::support {

/// `path`: of the golden file, from the root of the project.
inline void expect_golden(const std::string& path, const std::string& text) {
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    std::ofstream(std::filesystem::path(RELAY_SOURCE_DIR) / path, std::ios::binary) << text;
  }
  EXPECT_EQ(text, read_source(path)) << path;
}

}  // namespace relay::support
