#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "relay/settings/problem.hpp"
#include "relay/settings/settings.hpp"

namespace relay::settings {

struct Loaded {
  std::shared_ptr<Settings> settings;  ///< nobody else has them yet
  std::vector<Problem> warnings;
};

/// Reads, includes, checks. Either a whole configuration or every problem found in one run: a bad
/// file is never partly applied. Reads the secrets the file names.
std::expected<Loaded, std::vector<Problem>> load(const std::string& path);

}  // namespace relay::settings
