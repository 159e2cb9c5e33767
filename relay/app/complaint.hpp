// What a command of the command line says when it does nothing.
#pragma once

#include <string>
#include <vector>

#include "relay/settings/problem.hpp"

namespace relay::app {

/// On stderr for people; with --json an object on stdout, {"v":1,"error":"…"}. Returns `exit`.
int complain(bool as_json, const std::string& what, int exit);

/// Of a configuration that cannot be used: every problem. The object has them as "problems", too.
int complain(bool as_json, const std::vector<settings::Problem>& problems);

}  // namespace relay::app
