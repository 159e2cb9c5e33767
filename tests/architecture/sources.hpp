// The sources that the rules of the house are for.
#pragma once

#include <string>
#include <vector>

namespace relay::architecture {

struct Source {
  std::string path;  ///< from the root of the project: "relay/smtp/reply.cpp"
  std::string text;
};

/// All of the program and of the SRS library, by path.
std::vector<Source> all_sources();

}  // namespace relay::architecture
