// Positions in the configuration.
#pragma once

#include <cstdint>
#include <string>

#include "relay/base/source_place.hpp"

namespace relay::settings {

struct Position {
  std::string file;
  std::uint32_t line = 0;  ///< from 1; 0: the file as a whole
  std::uint32_t column = 0;
};

using Place = base::SourcePlace;

}  // namespace relay::settings
