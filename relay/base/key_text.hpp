// A key or a certificate as text, and where it was found.
#pragma once

#include <string>

#include "relay/base/secret.hpp"
#include "relay/base/source_place.hpp"

namespace relay::base {

struct KeyText {
  std::string file;  ///< "": from the environment
  std::string name;  ///< for messages
  Secret text;
  SourcePlace at = {};
  std::string credential = {};  ///< its name, if systemd copies it for us; then `file` is the copy
};

}  // namespace relay::base
