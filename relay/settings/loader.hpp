#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

namespace relay::settings {

struct Problem;
struct Settings;

struct Loaded {
  std::shared_ptr<Settings> settings;  ///< not shared with anybody yet
  std::vector<Problem> warnings;
};

/// Reads the file with its includes and the secrets it names, and checks everything. Returns either
/// a whole configuration or all problems that one run can find: a bad file is never partly applied.
std::expected<Loaded, std::vector<Problem>> load(const std::string& path);

}  // namespace relay::settings
