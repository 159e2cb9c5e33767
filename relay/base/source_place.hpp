// Where in a file of the configuration something stands, for messages about it.
#pragma once

#include <cstdint>
#include <string>

namespace relay::base {

struct SourcePosition {
  std::string file;
  std::uint32_t line = 0;  ///< from 1; 0: the file as a whole
  std::uint32_t column = 0;
};

/// The same in eight octets, since each of a million aliases has one. Unknown when it does not fit.
struct SourcePlace {
  std::uint64_t file : 20 = 0;  ///< index in settings::Settings::sources
  std::uint64_t line : 28 = 0;  ///< from 1; 0: unknown
  std::uint64_t column : 16 = 0;
};

}  // namespace relay::base
